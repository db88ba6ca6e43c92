import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from servo.errors import EventAbortedError
from servo.fast_fail import FastFailConfiguration, FastFailObserver
from servo.types import DataPoint, Duration, DurationProgress, Metric, SloCondition, SloInput, TimeSeries

AT = datetime(2020, 1, 21, 12, 0, 1)  # noqa: DTZ001  as the original's messages show it
LATENCY = Metric("latency", "ms")
PODS = [31337.0, 666.0, 187.0, 420.0, 69.0]


async def no_metrics(start, end):
    return {}


def observer(*conditions, metrics_getter=no_metrics, **config):
    return FastFailObserver(
        config=FastFailConfiguration(**config),
        input=SloInput(conditions=[SloCondition(metric="latency", **fields) for fields in conditions]),
        metrics_getter=metrics_getter,
    )


def points(*values):
    return [DataPoint(LATENCY, AT, value) for value in values]


def series(*values):
    return TimeSeries(LATENCY, [(AT + timedelta(minutes=n), value) for n, value in enumerate(values)])


def passes(one, **metrics):
    one.check_readings(metrics, AT)


def aborts(one, **metrics):
    with pytest.raises(EventAbortedError) as caught:
        one.check_readings(metrics, AT)
    assert caught.value.reason == "slo-violation"
    return str(caught.value)


class TestConfiguration:
    def test_defaults(self):
        config = FastFailConfiguration()
        assert (config.disabled, config.period, config.span, config.skip) == (0, "1m", "1m", 0)
        assert config.treat_zero_as_missing is False

    def test_span_is_the_period(self):
        assert FastFailConfiguration(period="5m").span == "5m"
        assert FastFailConfiguration(period="5m", span="1m").span == "1m"

    def test_no_environment_variable_is_read(self, monkeypatch):
        """Reference 1.8, 6.4: a stray PERIOD or DISABLED changed it."""
        for name, value in {"PERIOD": "5s", "DISABLED": "1", "SKIP": "1h", "SPAN": "1s"}.items():
            monkeypatch.setenv(name, value)
            monkeypatch.setenv(name.lower(), value)
        assert FastFailConfiguration() == FastFailConfiguration(disabled=0, period="60s", span="60s", skip=0)

    @pytest.mark.parametrize(
        "fields", [{"disabled": 2}, {"period": 0}, {"period": "x"}, {"span": "-1s"}, {"perod": "1m"}]
    )
    def test_bad_input(self, fields):
        with pytest.raises(ValidationError):
            FastFailConfiguration(**fields)


class TestThreshold:
    def test_kept_below(self):
        passes(observer({"threshold": 200}), latency=points(200))

    def test_not_kept_below(self):
        assert aborts(observer({"threshold": 200}), latency=points(200.5)) == (
            "SLO violation(s) observed: (latency below 200)"
            "[2020-01-21 12:00:01 SLO failed metric value 200.5 was not below threshold value 200]"
        )

    def test_kept_above(self):
        one = observer({"threshold": 200, "keep": "above"})
        passes(one, latency=points(200))
        assert "metric value 3 was not above threshold value 200" in aborts(one, latency=points(3.0))

    def test_multiplied(self):
        one = observer({"threshold": 100, "threshold_multiplier": "1.5"})
        passes(one, latency=points(150))
        assert aborts(one, latency=points(151)).endswith("threshold value 150]")

    def test_decimal_thresholds_are_met_by_the_same_float(self):
        passes(observer({"threshold": "0.2"}), latency=points(0.2))

    def test_mean_of_points(self):
        assert "metric value 6535.8 " in aborts(observer({"threshold": 6000}), latency=points(*PODS))
        passes(observer({"threshold": 6535.8}), latency=points(*PODS))

    def test_mean_of_means_of_series(self):
        assert "metric value 16001.5 " in aborts(
            observer({"threshold": 6000}), latency=[series(31337.0), series(666.0)]
        )
        assert "metric value 3 " in aborts(
            observer({"threshold": 1}), latency=[series(1.0, 1.0, 1.0), series(5.0)]
        )

    def test_near_zero_is_compared(self):
        """Only next to a threshold metric does a value near zero say nothing."""
        passes(observer({"threshold": 200}), latency=points(0.0))
        aborts(observer({"threshold": 0}), latency=points(0.1))


class TestThresholdMetric:
    main = {"threshold_metric": "main"}  # noqa: RUF012  read only

    def test_kept(self):
        passes(observer(self.main), latency=points(2.0), main=points(3.0))

    def test_not_kept(self):
        assert aborts(observer(self.main), latency=points(3.0), main=points(2.0)) == (
            "SLO violation(s) observed: (latency below main)"
            "[2020-01-21 12:00:01 SLO failed metric value 3 was not below threshold value 2]"
        )

    def test_multiplied(self):
        passes(observer(self.main | {"threshold_multiplier": 2}), latency=points(3.0), main=points(2.0))

    @pytest.mark.parametrize(
        ("metric", "threshold"), [(0.0, -1.0), (0.25, 0.0), (0.24, 0.1), (1.0, 0.0), (1.0, 0.25)]
    )
    def test_near_zero_says_nothing(self, metric, threshold):
        passes(observer(self.main), latency=points(metric), main=points(threshold))

    def test_what_is_near_zero_is_chosen(self):
        minimums = {"slo_metric_minimum": 0, "slo_threshold_minimum": None}
        aborts(observer(self.main | minimums), latency=points(0.25), main=points(0.0))

    def test_missing_threshold_says_nothing(self):
        passes(observer(self.main), latency=points(3.0))
        passes(observer(self.main), latency=points(3.0), main=points(math.nan))


class TestMissing:
    @pytest.mark.parametrize("readings", [None, [], points(math.nan), [series(1.0, math.nan)]])
    def test_missing_metric_says_nothing(self, readings):
        metrics = {} if readings is None else {"latency": readings}
        passes(observer({"threshold": 0}), **metrics)

    def test_empty_series_is_missing(self):
        """Reference 1.11, 6.4: an empty series crashed the check."""
        passes(observer({"threshold": 0}), latency=[series()])
        passes(observer({"threshold_metric": "main"}), latency=points(1.0), main=[series()])

    def test_empty_series_beside_another_does_not_count(self):
        """Reference 1.11, 6.4: an empty series crashed the check."""
        assert "metric value 4 " in aborts(observer({"threshold": 1}), latency=[series(), series(4.0)])

    def test_zero_is_missing_if_so_configured(self):
        condition = {"threshold": 1, "keep": "above"}
        passes(observer(condition, treat_zero_as_missing=True), latency=points(0.0))
        aborts(observer(condition), latency=points(0.0))

    def test_infinite_values_are_compared(self):
        aborts(observer({"threshold": 1}), latency=points(math.inf))
        passes(observer({"threshold": 1}), latency=points(math.inf, -math.inf))


class TestTrigger:
    bad, good = points(2.0), points(0.5)

    def test_as_often_as_configured(self):
        one = observer({"threshold": 1, "trigger_count": 2, "trigger_window": 3})
        passes(one, latency=self.bad)
        passes(one, latency=self.good)
        assert aborts(one, latency=self.bad).count("SLO failed") == 2

    def test_what_left_the_window_is_forgotten(self):
        one = observer({"threshold": 1, "trigger_count": 2, "trigger_window": 2})
        for readings in [self.bad, self.good, self.bad, self.good]:
            passes(one, latency=readings)
        passes(one, latency=self.bad)
        aborts(one, latency=self.bad)

    def test_missing_values_take_a_place_in_the_window(self):
        """Reference 1.11, quirk: they push older outcomes out."""
        one = observer({"threshold": 1, "trigger_count": 2, "trigger_window": 2})
        passes(one, latency=self.bad)
        passes(one)
        passes(one, latency=self.bad)

    def test_a_missing_value_alone_does_not_abort(self):
        one = observer({"threshold": 1, "trigger_window": 2})
        aborts(one, latency=self.bad)
        passes(one)

    @given(st.lists(st.booleans(), max_size=30), st.integers(1, 4), st.integers(0, 3))
    def test_against_a_count_over_the_last_outcomes(self, failures, count, more):
        """Aborts exactly when enough of the last outcomes failed."""
        window = count + more
        one = observer({"threshold": 1, "trigger_count": count, "trigger_window": window})
        for n in range(len(failures)):
            expected = sum(failures[max(0, n + 1 - window) : n + 1]) >= count
            (aborts if expected else passes)(one, latency=self.bad if failures[n] else self.good)

    def test_every_violated_condition_is_told(self):
        one = observer({"threshold": 6000}, {"threshold_metric": "main"}, {"threshold": 10**6})
        text = aborts(one, latency=points(*PODS), main=points(21337.0, 566.0, 87.0, 320.0, 59.0))
        assert text == (
            "SLO violation(s) observed: (latency below 6000)"
            "[2020-01-21 12:00:01 SLO failed metric value 6535.8 was not below threshold value 6000], "
            "(latency below main)"
            "[2020-01-21 12:00:01 SLO failed metric value 6535.8 was not below threshold value 4473.8]"
        )

    def test_observers_do_not_share_what_they_saw(self):
        """Reference 1.11, 6.4: results were kept in one mutable default of all observers."""
        condition = {"threshold": 1, "trigger_count": 2}
        first, second = observer(condition), observer(condition)
        passes(first, latency=self.bad)
        passes(second, latency=self.bad)
        aborts(first, latency=self.bad)


class TestObserve:
    @pytest.fixture
    def spans(self):
        return []

    @pytest.fixture
    def getter(self, spans):
        async def get(start, end):
            spans.append((start, end))
            return {"latency": points(2.0)}

        return get

    @pytest.fixture
    async def progress(self):
        progress = DurationProgress("10m")
        progress.start()
        return progress

    async def test_looks_at_the_last_span(self, getter, spans, progress):
        with pytest.raises(EventAbortedError):
            await observer({"threshold": 1}, metrics_getter=getter, span="5m").observe(progress)
        ((start, end),) = spans
        assert end - start == Duration("5m")
        assert abs(datetime.now(UTC) - end) < timedelta(minutes=1)

    async def test_the_beginning_is_skipped(self, getter, spans, progress):
        await observer({"threshold": 1}, metrics_getter=getter, skip="5m").observe(progress)
        assert spans == []

    async def test_what_has_not_started_is_skipped(self, getter, spans):
        await observer({"threshold": 1}, metrics_getter=getter, skip="1s").observe(DurationProgress("1m"))
        assert spans == []

    async def test_disabled(self, getter, spans, progress):
        await observer({"threshold": 1}, metrics_getter=getter, disabled=1).observe(progress)
        assert spans == []

    async def test_passing_is_silent(self, getter, spans, progress):
        await observer({"threshold": 5}, metrics_getter=getter).observe(progress)
        assert len(spans) == 1
