"""Advice from what is remembered: a lock, why it is not the newest, and what is not known of it."""

from trimtab.stacks.advice.advise import Advice, Advised, advise
from trimtab.stacks.advice.lessons import Lessons, lessons
from trimtab.stacks.advice.memory import Context, Memory, recall

__all__ = ["Advice", "Advised", "Context", "Lessons", "Memory", "advise", "lessons", "recall"]
