"""Observations: what documents of builds tell, kept as facts with their sources, and the questions that they answer."""

from trimtab.catalog.observations.recording import NamelessError, forget, record_analysis, record_build

__all__ = ["NamelessError", "forget", "record_analysis", "record_build"]
