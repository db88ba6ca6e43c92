"""Builds: submissions, their analyses, and what is remembered of them."""
