"""From requirements to a space: which versions there are, and which of them the sieves leave."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from trimtab.stacks.errors import PlanError, UnsatisfiableError
from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.release import Release
from trimtab.stacks.releases import Releases
from trimtab.stacks.sieves.platform import PLATFORM
from trimtab.stacks.sieves.sieve import Sieve
from trimtab.stacks.space import Space, Variable
from trimtab.stacks.stack import Stack
from trimtab.stacks.together import together

__all__ = ["Survey", "between", "survey"]

EVERYTHING = "*"
_EXCLUDED_LIMIT = 20_000  # characters of one package's specifier
_ROUNDS = 20
_SHOWN = 10


@dataclass(frozen=True)
class Survey:
    """What there is to search.

    Attributes:
        space: The choices.
        first: The stack that uv takes by itself, after the sieves.
    """

    space: Space
    first: Stack


async def survey(
    oracle: Oracle,
    releases: Releases,
    sieves: Sequence[Sieve] = (),
    *,
    vary: Iterable[str] | None = None,
    newest: int | None = None,
) -> Survey:
    """Find the space of a project.

    Args:
        oracle: Resolves.
        releases: Tells what there is.
        sieves: What is not tried.
        vary: The packages whose versions are chosen, direct ones or others, `*` for all that the newest stack has. The
            others are held where they are. By default the direct ones, with the others free.
        newest: Of each package at most so many of its newest versions.

    Raises:
        UnsatisfiableError: No stack satisfies the requirements, or the sieves leave none.
        PlanError: A package to be varied is in no stack, or has no version left.
        IndexUnavailableError: An index does not answer.
    """
    first = await oracle.first()
    names = _chosen(oracle, first, vary)
    known = await together(releases.of(name) for name in dict.fromkeys((*first.pins, *names)))
    exclusions = [found for each in known for found in _excluded(each, sieves)]
    barred = {(name, version) for each in exclusions for name, version in each.packages.items()}
    by_name = {each[0].name: each for each in known if each}
    variables = tuple(_variable(oracle, name, by_name.get(name, ()), barred, newest) for name in names)
    # What uv refuses by itself needs no constraint.
    bars = _constraints(
        each for each in exclusions if each.sieve != PLATFORM and not {*each.packages} & {*names}
    )
    sifted = await _sifted(oracle, first, bars, exclusions)
    held = {name: version for name, version in sifted.pins.items() if name not in names} if vary else {}
    return Survey(Space(variables, bars, oracle.project.pins or held, tuple(exclusions)), sifted)


async def between(
    releases: Releases, sieves: Sequence[Sieve], one: Mapping[str, str], other: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The versions that the sieves leave of the packages in which two locks differ; newest first, pre-releases left out.

    Raises:
        IndexUnavailableError: An index does not answer.
    """
    names = sorted(name for name in one.keys() & other.keys() if one[name] != other[name])
    found = await together(releases.of(name) for name in names)
    return {
        name: tuple(
            str(each.version)
            for each in known
            if not each.version.is_prerelease and not any(sieve.release(each) for sieve in sieves)
        )
        for name, known in zip(names, found, strict=True)
    }


def _chosen(oracle: Oracle, first: Stack, vary: Iterable[str] | None) -> tuple[str, ...]:
    direct = oracle.project.direct(oracle.target)
    if vary is None:
        return direct
    names = tuple(dict.fromkeys(canonicalize_name(each) for each in vary if each != EVERYTHING))
    known = {*direct, *first.pins}
    for name in names:
        if name not in known:
            near = get_close_matches(name, sorted(known), 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise PlanError(
                f"{name} is in no stack of {oracle.project.origin}, so it cannot be varied{meant}"
            )
    return (*names, *sorted(known - {*names})) if EVERYTHING in (vary or ()) else names


def _excluded(releases: Iterable[Release], sieves: Sequence[Sieve]) -> list[Exclusion]:
    found = []
    for release in releases:
        for sieve in sieves:
            if reason := sieve.release(release):
                found.append(Exclusion(sieve.name, {release.name: str(release.version)}, reason))
                break
    return found


def _variable(
    oracle: Oracle,
    name: str,
    releases: Sequence[Release],
    barred: set[tuple[str, str]],
    newest: int | None,
) -> Variable:
    specifier: SpecifierSet = oracle.project.specifier(name, oracle.target)
    fitting = list(specifier.filter(each.version for each in releases))
    found = [text for text in map(str, fitting) if (name, text) not in barred]
    if not found:
        left = (
            f"the sieves leave none of its {len(fitting)} versions" if fitting else "no index has a version"
        )
        bounds = f" within {specifier}" if str(specifier) else ""
        raise PlanError(f"{name}{bounds}: {left}; widen its bounds, or take a sieve away")
    return Variable(name, tuple(found[:newest]))


def _constraints(exclusions: Iterable[Exclusion]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, version in dict.fromkeys(pin for each in exclusions for pin in each.packages.items()):
        joined = f"{found[name]},!={version}" if name in found else f"!={version}"
        if len(joined) < _EXCLUDED_LIMIT:
            found[name] = joined
    return found


async def _sifted(
    oracle: Oracle, first: Stack, bars: dict[str, str], exclusions: Sequence[Exclusion]
) -> Stack:
    """The first stack without what the sieves exclude: each round excludes what the one before had."""
    wanted = [each for each in exclusions if each.sieve != PLATFORM]
    reasons: list[Exclusion] = []
    stack = first
    for _ in range(_ROUNDS):
        hit = [each for each in exclusions if each.packages.items() <= stack.pins.items()]
        if not hit:
            break
        reasons += hit
        try:
            stack = await oracle.first({**bars, **_constraints((*wanted, *reasons))})
        except UnsatisfiableError as error:
            lines = "\n".join(f"  {each}" for each in reasons[:_SHOWN])
            raise UnsatisfiableError(f"{error.explanation}\nThe sieves exclude:\n{lines}") from None
    return stack
