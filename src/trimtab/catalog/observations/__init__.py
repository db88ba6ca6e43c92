"""Observations: what documents of builds tell, kept as facts with their sources, and the questions that they answer."""

from trimtab.catalog.observations.bases import BaseRate, failure_rates
from trimtab.catalog.observations.confidence import TOO_FEW, Proportion, proportion
from trimtab.catalog.observations.drift import Drift, drift
from trimtab.catalog.observations.failing import (
    Breaker,
    OnlyInFailures,
    most_frequent_breakers,
    only_in_failures,
)
from trimtab.catalog.observations.first_bad import FirstBad, first_bad_version
from trimtab.catalog.observations.image_query import HeldImage, ImagesWanted, images_holding, resolve_image
from trimtab.catalog.observations.listing import Observation, is_known, observed, observed_after
from trimtab.catalog.observations.neighbours import (
    Neighbours,
    UnknownBuildError,
    known_good_neighbours,
    neighbours_of_build,
)
from trimtab.catalog.observations.page import Page
from trimtab.catalog.observations.recording import NamelessError, forget, record_analysis, record_build
from trimtab.catalog.observations.rules import Rule, candidate_rules, rules_document
from trimtab.catalog.observations.versions import SpecifierError

__all__ = [
    "TOO_FEW",
    "BaseRate",
    "Breaker",
    "Drift",
    "FirstBad",
    "HeldImage",
    "ImagesWanted",
    "NamelessError",
    "Neighbours",
    "Observation",
    "OnlyInFailures",
    "Page",
    "Proportion",
    "Rule",
    "SpecifierError",
    "UnknownBuildError",
    "candidate_rules",
    "drift",
    "failure_rates",
    "first_bad_version",
    "forget",
    "images_holding",
    "is_known",
    "known_good_neighbours",
    "most_frequent_breakers",
    "neighbours_of_build",
    "observed",
    "observed_after",
    "only_in_failures",
    "proportion",
    "record_analysis",
    "record_build",
    "resolve_image",
    "rules_document",
]
