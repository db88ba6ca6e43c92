"""Options of a session: each mistake names the option that has it."""

import pytest

from trimtab.cli.specification import SpecificationError, parse_prices, parse_spec


def problem(**goal):
    with pytest.raises(SpecificationError) as caught:
        parse_spec(application="example.com/shop", goal={"objective": "maximize throughput", **goal})
    return str(caught.value)


@pytest.mark.parametrize(
    ("goal", "option"),
    [
        ({"objective": "maximize throughput +"}, "--objective: column 22: ends too early"),
        ({"objective": "maximize cost"}, "--objective: column 10: `cost` needs prices"),
        ({"objective": ""}, "--objective: "),
        ({"slos": ["latency =< 3"]}, "--slo: column 9: unexpected '='"),
        ({"slos": ["latency <= 5ms", "latency =< 3"]}, "--slo (2 of 2): column 9: unexpected '='"),
        ({"slos": ["latency <= 5parsecs", "latency <= 3ms"]}, "--slo (1 of 2): column 13: unknown unit"),
        ({"slos": ["latency <= 5ms", ""]}, "--slo (2 of 2): "),
        ({"slos": ["latency <= 5ms"] * 33}, "--slo: "),
    ],
)
def test_what_is_wrong_with_a_goal_names_the_option_and_which_of_several(goal, option):
    found = problem(**goal)
    assert found.startswith(option)
    assert found.count("--") == 1


def test_every_wrong_option_has_a_line():
    with pytest.raises(SpecificationError) as caught:
        parse_spec(
            application="no such thing",
            goal={"objective": "maximize"},
            budget={"trials": 0, "seconds": "soon"},
        )
    lines = [line for line in str(caught.value).splitlines() if "--" in line]
    assert [line.removeprefix("Error: ").split(":")[0] for line in lines] == [
        "--application",
        "--objective",
        "--trials",
        "--time",
    ]


@pytest.mark.parametrize("text", ["web.cpu", "web.cpu=", "web.cpu=dear", "="])
def test_a_price_that_is_none_is_shown(text):
    with pytest.raises(SpecificationError, match=r"^--price: .*is not written as web\.cpu=30"):
        parse_prices([text])


def test_prices_are_read_by_setting():
    assert parse_prices(["web.cpu=30", " web.replicas =5.5"]) == {"web.cpu": 30.0, "web.replicas": 5.5}
