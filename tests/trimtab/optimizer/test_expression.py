"""Values of expressions: what Python makes of the same arithmetic."""

import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.optimizer import EvaluationError
from trimtab.optimizer.expression import Call, Name, Negation, Number, Operation
from trimtab.optimizer.grammar import parse

NAMES = ["a", "b", "web.cpu"]
VALUES = st.fixed_dictionaries({name: st.sampled_from([-2.5, -1.0, 0.0, 0.5, 3.0, 7.0]) for name in NAMES})
LEAVES = st.sampled_from(NAMES) | st.sampled_from(["0", "1", "2.5", "1e2", ".25"])


def _texts(inner):
    terms = st.lists(inner, min_size=2, max_size=4)
    sums = st.tuples(terms, st.sampled_from([" + ", " - "])).map(lambda each: f"({each[1].join(each[0])})")
    products = st.tuples(terms, st.sampled_from([" * ", " / "])).map(lambda each: each[1].join(each[0]))
    extremes = st.tuples(st.sampled_from(["min", "max"]), terms).map(lambda e: f"{e[0]}({', '.join(e[1])})")
    calls = st.tuples(st.sampled_from(["log", "sqrt", "abs"]), inner).map(
        lambda each: f"{each[0]}({each[1]})"
    )
    return sums | products | extremes | calls | inner.map(lambda each: f"-({each})")


TEXTS = st.recursive(LEAVES, _texts, max_leaves=10)


def python(text, values):
    """Python's own value of the text; None where it has none."""
    names = {name.replace(".", "_"): value for name, value in values.items()}
    functions = {"log": math.log, "sqrt": math.sqrt, "abs": abs, "min": min, "max": max}
    tree = ast.parse(text.replace("web.cpu", "web_cpu"), mode="eval")
    try:
        return float(eval(compile(tree, "text", "eval"), {"__builtins__": {}}, functions | names))
    except (ZeroDivisionError, ValueError):
        return None


@given(TEXTS.filter(lambda text: len(text) < 500), VALUES)
def test_the_value_is_pythons_or_a_plain_refusal(text, values):
    expression = parse(f"minimize {text}", "objective")[1]
    expected = python(text, values)
    if expected is None:
        with pytest.raises(EvaluationError):
            expression.evaluate(values)
    else:
        assert expression.evaluate(values) == pytest.approx(expected, rel=1e-12)


@given(TEXTS.filter(lambda text: len(text) < 500))
def test_depth_bounds_the_tree(text):
    """What is written is no deeper than its account says, so that evaluation cannot exhaust Python's stack."""

    def depth(node):
        match node:
            case Operation(operands=inner) | Call(arguments=inner):
                return 1 + max(map(depth, inner))
            case Negation(operand=inner):
                return 1 + depth(inner)
        return 1

    expression = parse(f"minimize {text}", "objective")[1]
    assert depth(expression) == expression.depth


def test_dividing_by_nothing_names_what_is_nothing():
    with pytest.raises(EvaluationError, match="division by zero: a - b is 0"):
        parse("minimize 1 / (a - b)", "objective")[1].evaluate({"a": 3.0, "b": 3.0})


@pytest.mark.parametrize("text", ["log(a)", "sqrt(a)"])
def test_a_function_outside_its_domain_names_the_argument(text):
    with pytest.raises(EvaluationError, match=r"has no value: its argument is -4"):
        parse(f"minimize {text}", "objective")[1].evaluate({"a": -4.0})


def test_a_missing_metric_is_named_with_those_there_are_and_not_all_of_many():
    there = {f"m{i:02}": 1.0 for i in range(40)}
    with pytest.raises(EvaluationError, match=r"no value of 'lost'; there are m00, m01, .*m11, …$"):
        Name("lost").evaluate(there)
    with pytest.raises(EvaluationError, match="there are none at all"):
        Name("lost").evaluate({})


def test_names_are_all_that_are_read():
    expression = parse("minimize max(a, -b) / (web.cpu + 2) - log(a)", "objective")[1]
    assert sorted(each.name for each in expression.names()) == ["a", "a", "b", "web.cpu"]


def test_a_number_takes_its_neighbours_unit_and_only_if_both_measure_the_same():
    assert Number(200.0, "ms").resolve({}, "s").evaluate({}) == 0.2
    assert Number(200.0, "ms").resolve({}, "MiB").evaluate({}) == 200.0
    assert Number(2.0, "s").evaluate({}) == 2000.0
