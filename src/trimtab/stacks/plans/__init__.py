"""Plans: in which order stacks are tried."""

from trimtab.stacks.plans.adaptive import Adaptive, Searcher
from trimtab.stacks.plans.all import All
from trimtab.stacks.plans.around import Around
from trimtab.stacks.plans.bisect import Bisect, Culprit
from trimtab.stacks.plans.breakers import Breakers
from trimtab.stacks.plans.floor import Floor
from trimtab.stacks.plans.newest import Newest
from trimtab.stacks.plans.pairwise import Pairwise
from trimtab.stacks.plans.random import Random
from trimtab.stacks.plans.symptoms import Slowness

__all__ = [
    "Adaptive",
    "All",
    "Around",
    "Bisect",
    "Breakers",
    "Culprit",
    "Floor",
    "Newest",
    "Pairwise",
    "Random",
    "Searcher",
    "Slowness",
]
