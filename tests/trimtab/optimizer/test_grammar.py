"""Objectives and SLOs as text."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.optimizer import EvaluationError, ObjectiveError, parse_objective, parse_slo
from trimtab.optimizer.expression import FUNCTIONS, Call, Expression, Name, Negation, Number, Operation
from trimtab.optimizer.grammar import MAX_DEPTH, MAX_LENGTH, parse

VALUES = {"a": 2.0, "b": 3.0, "web.cpu": 0.5, "web-1/main.cpu": 4.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b * 2", 8.0),
        ("(a + b) * 2", 10.0),
        ("a - b - 1", -2.0),
        ("a / b / 2", 1 / 3),
        ("-a * -b", 6.0),
        ("+a", 2.0),
        ("min(a, b) + max(a, b, 7)", 9.0),
        ("log(a) + sqrt(b) + abs(-1)", math.log(2) + math.sqrt(3) + 1),
        ("0.2 * web.cpu", 0.1),
        ("`web-1/main.cpu` - 1e1", -6.0),
        ("a + 1.5s", 1502.0),
        ("a * 50%", 1.0),
        ("a + 1KiB", 1026.0),
    ],
)
def test_arithmetic_has_the_usual_meaning_and_precedence(text, value):
    objective = parse_objective(f"minimize {text}")
    assert objective.expression.evaluate(VALUES) == pytest.approx(value)


@pytest.mark.parametrize("word", ["maximize", "maximise"])
def test_maximize_turns_the_sign(word):
    assert parse_objective(f"{word} a").sign == -1.0
    assert parse_objective("minimise a").sign == 1.0


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("minimize a + * 3", 14, "unexpected '*'"),
        ("minimize a +", 13, "ends too early"),
        ("minimize (a", 12, "expected )"),
        ("min a", 1, "expected maximize or minimize"),
        ("minimizea", 1, "unexpected"),
        ("", 1, "ends too early"),
        ("minimize a $ b", 12, "unexpected '$'"),
        ("minimize foo(a)", 10, "unknown function 'foo'"),
        ("minimize log(a, b)", 10, "log takes 1 argument, not 2"),
        ("minimize a + 3parsecs", 15, "unknown unit 'parsecs'"),
        ("minimize 3", 1, "no metric"),
        ("minimize a + 1e999", 14, "too large"),
        ("minimize a\n+ b", 11, "line break"),
        ("minimize __import__('os')", 21, "unexpected"),
    ],
)
def test_an_error_names_the_problem_and_points_at_its_column(text, column, problem):
    with pytest.raises(ObjectiveError) as caught:
        parse_objective(text)
    assert caught.value.column == column - 1
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"column {column}: ")
    assert str(caught.value).splitlines()[-1].endswith("^")


def test_the_caret_is_under_the_column_of_a_long_text():
    text = "minimize " + "a + " * 60 + "$"
    with pytest.raises(ObjectiveError) as caught:
        parse_objective(text)
    line, caret = str(caught.value).splitlines()[1:]
    assert line[caret.index("^")] == "$"


@pytest.mark.parametrize("text", ["minimize " + "(" * 400 + "a" + ")" * 400, "minimize " + "-" * 900 + "a"])
def test_deep_nesting_ends_in_an_error_and_not_in_recursion(text):
    with pytest.raises(ObjectiveError, match="nested deeper") if "-" in text else _parsed():
        parse_objective(text)


def _parsed():
    # Parentheses alone nest nothing: they are gone once parsed.
    return contextlib.nullcontext()


def test_nesting_is_bounded():
    deep = "a"
    for _ in range(MAX_DEPTH):
        deep = f"1 + 2 * ({deep})"
    with pytest.raises(ObjectiveError, match="nested deeper"):
        parse_objective(f"minimize {deep}")


def test_length_is_bounded():
    with pytest.raises(ObjectiveError, match="longer than"):
        parse_objective("minimize " + "a + " * MAX_LENGTH)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a / (b - 3)", "division by zero"),
        ("log(a - 2)", "has no value"),
        ("sqrt(-a)", "has no value"),
        ("unheard * 2", "no value of 'unheard'"),
    ],
)
def test_an_expression_without_a_value_says_why(text, problem):
    with pytest.raises(EvaluationError, match=problem):
        parse_objective(f"minimize {text}").expression.evaluate(VALUES)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_metric_that_is_not_finite_is_refused(value):
    with pytest.raises(EvaluationError, match="'a'"):
        parse_objective("minimize a").expression.evaluate({"a": value})


@pytest.mark.parametrize(
    ("text", "unit", "threshold"),
    [
        ("latency_p99 <= 200ms", None, 200.0),
        ("latency_p99 <= 200ms", "s", 0.2),
        ("latency_p99 <= 0.2", "s", 0.2),
        ("error_rate <= 1%", None, 0.01),
        ("error_rate <= 1%", "%", 1.0),
        ("throughput >= 50rps", "rpm", 3000.0),
        ("memory <= 512MiB", "GiB", 0.5),
        ("balance >= -3", None, -3.0),
    ],
)
def test_the_threshold_of_an_slo_is_in_the_unit_of_its_metric(text, unit, threshold):
    assert parse_slo(text, unit).threshold == threshold


@pytest.mark.parametrize(
    ("text", "unit", "problem"),
    [
        ("latency <= 5MiB", "ms", "of another kind"),
        ("web.cpu <= 5", None, "is no metric"),
        ("cost <= 5", None, "is no metric"),
        ("latency <= other", None, "expected"),
        ("latency = 5", None, "unexpected '='"),
        ("5 <= latency", None, "unexpected '5'"),
    ],
)
def test_a_wrong_slo_is_refused(text, unit, problem):
    with pytest.raises(ObjectiveError, match=problem):
        parse_slo(text, unit)


NAMES = st.sampled_from(["a", "throughput", "web.cpu", "cost", "x-y/z.w", "log"]).map(Name)
NUMBERS = st.builds(
    Number, st.floats(0, 1e9, allow_nan=False).map(abs), st.sampled_from(["", "ms", "%", "MiB", "rps", "/s"])
)


def _trees(children: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    pairs = st.tuples(children, children)
    sums = st.builds(lambda o, e: Operation((o,), e), st.sampled_from("+-"), pairs)
    products = st.builds(lambda o, e: Operation((o,), e), st.sampled_from("*/"), pairs)
    calls = st.sampled_from(sorted(FUNCTIONS)).flatmap(
        lambda f: st.lists(children, min_size=1, max_size=min(3, FUNCTIONS[f][1])).map(
            lambda c: Call(f, tuple(c))
        )
    )
    return sums | products | calls | children.map(Negation)


@given(st.recursive(NAMES | NUMBERS, _trees, max_leaves=12))
def test_what_is_written_is_read_back_the_same(expression):
    text = f"minimize {expression}"
    _, again = parse(text, "objective")
    assert str(again) == str(expression)


@given(st.text(max_size=60))
def test_any_text_is_an_objective_or_an_error_with_a_place(text):
    error = None
    with contextlib.suppress(ObjectiveError):
        try:
            parse_objective(text)
        except ObjectiveError as caught:
            error = caught
            raise
    assert error is None or 0 <= error.column <= len(text)
