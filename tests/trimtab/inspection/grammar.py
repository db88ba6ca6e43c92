"""Reads a Containerfile by the rules of the builders, as far as ours go: for tests that need no builder."""

import json
import re


def instructions(text):
    """Each instruction and its arguments as text: lines that end in the escape character go on."""
    joined = re.sub(r"\\[ \t]*\n", "", text)
    for line in joined.split("\n"):
        if line.strip():
            name, _, arguments = line.strip().partition(" ")
            assert not line.startswith("#")
            yield name, arguments.strip()


def environment(text):
    """The variables that ENV instructions set."""
    found = {}
    for name, arguments in instructions(text):
        if name == "ENV":
            for word in words(arguments):
                key, _, value = word.partition("=")
                found[key] = value
    return found


def words(text):
    """Split at blanks outside of quotes, then take quotes and escapes away; variables must not be left."""
    found, word, quote, position = [], None, "", 0
    while position < len(text):
        c = text[position]
        position += 1
        if c == "\\" and quote != "'" and (not quote or text[position : position + 1] in {'"', "$", "\\"}):
            word = (word or "") + text[position]
            position += 1
        elif c == quote:
            quote = ""
        elif c in "'\"" and not quote:
            quote, word = c, word or ""
        elif c in " \t\v\f\r" and not quote:
            found, word = [*found, *([] if word is None else [word])], None
        else:
            assert c != "$" or quote == "'", f"a variable would be put in at {text[position - 1 :]!r}"
            word = (word or "") + c
    assert not quote
    return [*found, *([] if word is None else [word])]


def runs(text):
    """The argument lists of RUN instructions, which are all in exec form."""
    return [json.loads(arguments) for name, arguments in instructions(text) if name == "RUN"]


def copies(text):
    """Sources, target and owner of COPY instructions."""
    found = []
    for name, arguments in instructions(text):
        if name == "COPY":
            option, _, array = arguments.partition("[")
            *sources, target = json.loads(f"[{array}")
            found.append((sources, unescape(target), option.strip()))
    return found


def unescape(text):
    """What a builder makes of a word that has blanks and is not split: escapes are taken away."""
    found, position = "", 0
    while position < len(text):
        c = text[position]
        position += 1
        if c == "\\":
            c = text[position]
            position += 1
        else:
            assert c not in "$'\""
        found += c
    return found
