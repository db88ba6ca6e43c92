"""Dependency Monkey: many stacks for the same requirements, handed on to be inspected; its options and its report."""

from trimtab.stacks.monkey.question import FORMATS, PREDICTORS, MonkeyQuestion, fresh_seed, read_text_or_table
from trimtab.stacks.monkey.report import (
    KIND,
    MonkeyReport,
    Response,
    new_document_id,
    read_report,
    report_document,
)
from trimtab.stacks.monkey.search import Product, products, project_of

__all__ = [
    "FORMATS",
    "KIND",
    "PREDICTORS",
    "MonkeyQuestion",
    "MonkeyReport",
    "Product",
    "Response",
    "fresh_seed",
    "new_document_id",
    "products",
    "project_of",
    "read_report",
    "read_text_or_table",
    "report_document",
]
