"""Cores and bytes are read and written as Kubernetes, people and optimizers do."""

from __future__ import annotations

from decimal import Decimal

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.kubernetes import CPU, Core, Memory, ShortByteSize
from servo.kubernetes import cpu_quantity, memory_quantity


@pytest.mark.parametrize(
    ("given", "cores", "text"),
    [
        ("250m", "0.25", "250m"),
        ("100u", "0.0001", "100u"),
        ("5n", "0.000000005", "5n"),
        ("4", "4", "4"),
        (4, "4", "4"),
        (0.1, "0.1", "100m"),
        (0.05 + 0.01, "0.06", "60m"),  # 0.060000000000000005
        (3 * 0.1, "0.3", "300m"),
        ("1.5", "1.5", "1500m"),
        ("1000m", "1", "1"),
        (".5", "0.5", "500m"),
    ],
)
def test_cores_are_written_with_the_largest_unit_that_fits(given, cores, text):
    assert Core.parse(given) == Decimal(cores)
    assert str(Core.parse(given)) == text
    assert Core.parse(given).__opsani_repr__() == float(cores)


@given(st.integers(0, 2**50))
def test_what_an_optimizer_is_told_of_memory_can_be_set_again(size):
    """GiB as a number have more digits than a person would write."""
    assert ShortByteSize.parse(ShortByteSize(size).__opsani_repr__()) == size


@given(st.integers(0, 10**6))
def test_what_an_optimizer_is_told_of_cores_can_be_set_again(thousandths):
    assert Core.parse(Core.parse(f"{thousandths}m").__opsani_repr__()) * 1000 == thousandths


@pytest.mark.parametrize("given", ["", "m", "1k", "-1", "1 core", True, None, [], float("nan"), "1e3"])
def test_what_is_no_number_of_cores_is_refused(given):
    with pytest.raises(ValueError, match=r"cpu|cores"):
        Core.parse(given)


@pytest.mark.parametrize(
    ("given", "size", "text", "human"),
    [
        ("128Mi", 128 * 1024**2, "128Mi", "128.0Mi"),
        ("128MiB", 128 * 1024**2, "128Mi", "128.0Mi"),
        ("1Gi", 1024**3, "1Gi", "1.0Gi"),
        ("1.5Gi", 3 * 1024**3 // 2, "1.5Gi", "1.5Gi"),
        ("1G", 10**9, "976562.5Ki", "976562.5Ki"),
        ("512kB", 512_000, "500Ki", "500.0Ki"),
        ("2.0", 2 * 1024**3, "2Gi", "2.0Gi"),
        (0.5, 1024**3 // 2, "512Mi", "512.0Mi"),
        (1.0, 1024**3, "1Gi", "1.0Gi"),
        (1048576, 1024**2, "1Mi", "1.0Mi"),
        ("1048576", 1024**2, "1Mi", "1.0Mi"),
        ("100b", 100, "100", "100"),
        (1024**3 + 1, 1024**3 + 1, "1073741825", "1073741825"),
    ],
)
def test_memory_without_a_unit_is_gib_where_it_has_a_decimal_point_and_bytes_otherwise(
    given, size, text, human
):
    found = ShortByteSize.parse(given)
    assert found == size
    assert (str(found), found.human_readable()) == (text, human)
    assert found.__opsani_repr__() == size / 1024**3


@pytest.mark.parametrize("given", ["", "Mi", "1Xi", "128m", "-1Gi", True, None, float("inf"), "99999999999E"])
def test_what_is_no_memory_is_refused(given):
    with pytest.raises(ValueError, match=r"memory|unit|thousandths"):
        ShortByteSize.parse(given)


@given(st.integers(0, 2**62))
def test_any_memory_is_written_so_that_the_cluster_reads_the_same(size):
    assert memory_quantity(str(ShortByteSize(size))) == size
    assert ShortByteSize.parse(str(ShortByteSize(size))) == size


@given(st.decimals(0, 10_000, places=9))
def test_any_cores_are_written_so_that_the_cluster_reads_the_same(cores):
    assert cpu_quantity(str(Core(cores))) == cores
    assert Core.parse(str(Core(cores))) == cores


@given(st.text(max_size=40) | st.floats() | st.integers() | st.booleans() | st.none())
def test_whatever_is_given_is_read_or_refused_with_a_value_error(given):
    for kind in (Core, ShortByteSize):
        try:
            kind.parse(given)
        except ValueError:
            continue


def test_optimizers_values_are_rendered_as_cores_and_gib():
    cpu, memory = CPU(min="125m", max="4", step="125m"), Memory(min="64Mi", max="4Gi", step="64Mi")
    assert [cpu.render(value) for value in (0.25, 1, "1.5", "250m")] == ["250m", "1", "1500m", "250m"]
    assert [memory.render(value) for value in (0.25, 1, "1", "256Mi", 1.5)] == [
        "256Mi",
        "1Gi",
        "1Gi",
        "256Mi",
        "1.5Gi",
    ]


def test_cores_that_kubernetes_does_not_allot_are_refused():
    with pytest.raises(ValueError, match="thousandths"):
        CPU(min="125m", max="4", step="125m").render(0.0005)


def test_optimizers_are_told_cores_and_gib_also_outside_of_the_range():
    cpu, memory = CPU(min="125m", max="4", step="125m"), Memory(min="64Mi", max="4Gi", step="64Mi")
    assert cpu.describe("8").__opsani_repr__()["cpu"] == {
        "type": "range",
        "pinned": False,
        "unit": "cores",
        "value": 8.0,
        "min": 0.125,
        "max": 4.0,
        "step": 0.125,
    }
    assert memory.describe("1e9").value == pytest.approx(0.9313, abs=1e-4)
    assert memory.describe(None, pinned=True).__opsani_repr__()["mem"]["pinned"] is True


def test_the_configuration_says_where_a_quantity_is_wrong():
    with pytest.raises(pydantic.ValidationError, match="write it as 250m"):
        CPU(min="x", max="4", step="125m")


def test_yaml_of_a_configuration_is_for_people():
    dumped = Memory(min="64Mi", max="1.5Gi", step=134217728).plain()
    assert (dumped["min"], dumped["max"], dumped["step"]) == ("64.0Mi", "1.5Gi", "128.0Mi")
