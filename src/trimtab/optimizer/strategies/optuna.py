"""Optuna's samplers behind our interface, by ask and tell; its storage and its log are not used."""

import warnings
from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import Any, ClassVar

from trimtab.optimizer.errors import StudyError
from trimtab.optimizer.space import Parameter, Point, Space, Value
from trimtab.optimizer.strategy import Context, Observation, Suggestion

__all__ = ["CMAES", "GP", "TPE"]

_CONSTRAINTS = "excesses"


class _Sampled(ABC):
    """A study of Optuna in memory, asked and told.

    Its samplers keep their state in the course of asking. So an observation of a suggestion that was made before
    this object was (a replayed history) is asked again first: the state comes out the same.
    """

    title: ClassVar[str]

    def __init__(self, space: Space, *, seed: int, n_constraints: int = 0) -> None:
        self._space = space
        self._constrained = n_constraints > 0
        self._distributions = {each.name: _distribution(each) for each in space.free}
        self._asked: tuple[Any, Point] | None = None
        with _silence():
            import optuna

            optuna.logging.set_verbosity(optuna.logging.ERROR)
            self._study = optuna.create_study(sampler=self._sampler(seed))

    @abstractmethod
    def _sampler(self, seed: int) -> Any:
        """The sampler of Optuna."""

    def suggest(self, context: Context) -> Suggestion:
        """What Optuna's sampler proposes."""
        del context
        return Suggestion(self._ask()[1], f"proposed by {self.title}")

    def _ask(self) -> tuple[Any, Point]:
        if self._asked is None:
            with _silence():
                trial = self._study.ask(self._distributions)
            moving = {each.name: _decoded(each, trial.params[each.name]) for each in self._space.free}
            point = {each.name: moving.get(each.name, each.fixed) for each in self._space.parameters}
            self._asked = trial, self._space.snap(point)  # type: ignore[arg-type] # fixed ones have a value
        return self._asked

    def observe(self, observation: Observation) -> None:
        """Tell the sampler; what it did not propose is added to its history."""
        from optuna.trial import TrialState

        state = TrialState.FAIL if observation.value is None else TrialState.COMPLETE
        with _silence():
            if observation.own:
                trial, _ = self._ask()
                self._asked = None
                trial.set_user_attr(_CONSTRAINTS, list(observation.constraints))
                self._study.tell(trial, observation.value, state=state)
            elif observation.value is not None:
                self._study.add_trial(self._told(observation))

    def _told(self, observation: Observation) -> Any:
        import optuna

        point = observation.point
        return optuna.trial.create_trial(
            params={each.name: _encoded(each, point[each.name]) for each in self._space.free},
            distributions=self._distributions,
            value=observation.value,
            constraints={str(number): each for number, each in enumerate(observation.constraints)},
        )


class TPE(_Sampled):
    """Tree-structured Parzen estimators; knows SLOs as constraints."""

    title = "TPE (Optuna)"

    def _sampler(self, seed: int) -> Any:
        import optuna

        return optuna.samplers.TPESampler(
            seed=seed, constraints_func=_excesses if self._constrained else None
        )


class CMAES(_Sampled):
    """Evolution strategy with covariance matrix adaptation; knows no SLOs, so breaches are not preferred only."""

    title = "CMA-ES (Optuna)"

    def _sampler(self, seed: int) -> Any:
        import optuna

        return optuna.samplers.CmaEsSampler(
            seed=seed,
            independent_sampler=optuna.samplers.RandomSampler(seed=seed),
            warn_independent_sampling=False,
        )


class GP(_Sampled):
    """A Gaussian process that knows SLOs; on PyTorch, which is not installed with Trimtab.

    Raises:
        StudyError: PyTorch is not there.
    """

    title = "Gaussian process (Optuna)"

    def __init__(self, space: Space, *, seed: int, n_constraints: int = 0) -> None:
        if find_spec("torch") is None:
            raise StudyError(
                "strategy 'optuna-gp' needs PyTorch: pip install torch; `gaussian-process` needs nothing more"
            )
        super().__init__(space, seed=seed, n_constraints=n_constraints)

    def _sampler(self, seed: int) -> Any:
        import optuna

        return optuna.samplers.GPSampler(
            seed=seed,
            independent_sampler=optuna.samplers.RandomSampler(seed=seed),
            constraints_func=_excesses if self._constrained else None,
            warn_independent_sampling=False,
        )


def _excesses(trial: Any) -> list[float]:
    return list(trial.user_attrs.get(_CONSTRAINTS, ()))


def _distribution(parameter: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if parameter.kind == "enum":
        return (
            CategoricalDistribution(parameter.values)
            if parameter.categorical
            else IntDistribution(0, len(parameter.values) - 1)
        )
    if parameter.levels is not None and not parameter.logarithmic:
        return IntDistribution(0, parameter.levels - 1)
    return FloatDistribution(parameter.minimum, parameter.maximum, log=parameter.logarithmic)


def _encoded(parameter: Parameter, value: Value) -> Value:
    """A value as Optuna knows it: by index where the values are steps."""
    if parameter.categorical:
        return value
    if parameter.kind == "enum":
        return parameter.ordered.index(value)
    if parameter.levels is not None and not parameter.logarithmic:
        return round((float(value) - parameter.minimum) / (parameter.step or 1.0))
    return float(value)


def _decoded(parameter: Parameter, value: Value) -> Value:
    if parameter.categorical or isinstance(value, str):
        return value
    if parameter.kind == "enum":
        return parameter.ordered[int(value)]
    if parameter.levels is not None and not parameter.logarithmic:
        return parameter.snap(parameter.minimum + value * (parameter.step or 1.0))
    return parameter.snap(value)


class _silence(warnings.catch_warnings):  # noqa: N801 - used as a function
    """Optuna warns of what is experimental in it; that is no business of its user's user."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")
