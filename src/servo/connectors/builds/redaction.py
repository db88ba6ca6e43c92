"""Takes secrets out of a stream of bytes, wherever the stream is cut into chunks.

A rule has a *head* of bounded length, by which a secret is recognised (``Authorization: Bearer ``, ``ghp_`` and twenty
characters), and says which bytes belong to the secret after it. A head is looked for only where all of it, and all that
could compete with it, is in the buffer: `HEAD` bytes beyond its start, or the end of the stream. So what is
found does not depend on where the chunks end, a secret may be of any length, and no more than a chunk and `HEAD` bytes are held.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

__all__ = ["MARK", "Redactor", "Secrets"]

MARK = b"[redacted]"
# Each trigger has one of them. Most logs have few, so few of the triggers are looked for.
STEMS = (
    b"key", b"pass", b"token", b"auth", b"cookie", b"://", b"gh", b"github_", b"gl", b"pypi-", b"npm_", b"xox", b"xapp-", b"sk-", b"k_",
    b"aiza", b"akia", b"asia", b"eyj", b"secret", b"credential", b"_pwd", b"--",
)  # fmt: skip
_LOWER = bytes(range(256)).lower()
# What no stem has may go: what is left of a log is half as long to look through, and has each stem that the log has.
_IN_NO_STEM = bytes(set(range(256)) - {byte for stem in STEMS for byte in stem + stem.upper()})
HEAD = 8 * 1024
BATCH = 32 * 1024
MAX_VALUE = 2 * 1024
MIN_VALUE = 6
MAX_VALUES = 200
MAX_BLOCK = 64 * 1024
MAX_END = 128
BEFORE = 16

_TOKEN = rb"[A-Za-z0-9_\-.+/=~]"
# After the name of a variable, key or field, its value; not pip's ``==``, a name with a scope, or a URL.
_IS = rb"[\"'\\]{0,3}\s{0,4}(?:=(?!=)|:(?![:/]))\s{0,4}[\"'\\]{0,3}"
_UNQUOTED = rb"[^\s\"'`&,;<>\\]"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a secret is recognised.

    Attributes:
        triggers: Lower-case texts of which each head has one: a quick look whether it is worth trying; an empty one always is.
        head: A regular expression of at most `HEAD` bytes; what its group ``keep`` (named after the rule's index) matches stays.
        tail: The bytes that belong to the secret after the head, as a character class; empty if none does.
        ends: What ends a secret of many lines instead.
        folded: Whether capitals do not matter; the head is written in small letters.
    """

    triggers: tuple[bytes, ...]
    keep: bytes
    head: bytes
    tail: bytes = b""
    ends: bytes = b""
    folded: bool = False


RULES = (
    # The whole block: its lines may be prefixed by a time.
    Rule((b"private key",), b"", rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----", ends=rb"-----END [A-Z0-9 ]{0,60}-----"),
    Rule((b"authorization",), rb"authorization[\"'\\]{0,3}\s{0,8}[:=]\s{0,8}[\"'\\]{0,3}(?:(?:basic|bearer|token|negotiate|digest|apikey)\s{1,8})?", b"", _UNQUOTED, folded=True),
    Rule((b"cookie:",), rb"cookie:\s{0,8}", b"", rb"[^\r\n]", folded=True),
    Rule((b"-token:", b"api-key:", b"apikey:", b"registry-auth:"), rb"(?:-token|api-key|apikey|registry-auth):\s{0,8}", b"", _UNQUOTED, folded=True),
    Rule((b"://",), rb"://", rb"(?!git@)[^\s/?#\"'<>]{1,4096}(?=@)"),
    Rule((b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), b"", rb"gh[pousr]_[A-Za-z0-9_]{20}", rb"[A-Za-z0-9_]"),
    Rule((b"github_pat_",), b"", rb"github_pat_[A-Za-z0-9_]{20}", rb"[A-Za-z0-9_]"),
    Rule((b"glpat-", b"gldt-", b"glrt-", b"glcbt-", b"glptt-"), b"", rb"gl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_\-]{16}", rb"[A-Za-z0-9_\-.]"),
    Rule((b"pypi-age",), b"", rb"pypi-AgE[A-Za-z0-9_\-]{16}", rb"[A-Za-z0-9_\-]"),
    Rule((b"npm_",), b"", rb"npm_[A-Za-z0-9]{30}", rb"[A-Za-z0-9]"),
    Rule((b"_authtoken",), rb"_authtoken\s{0,8}=\s{0,8}", b"", _UNQUOTED, folded=True),
    Rule((b"xox", b"xapp-"), b"", rb"x(?:ox[abeoprs]|app)-[A-Za-z0-9\-]{10}", rb"[A-Za-z0-9\-]"),
    Rule((b"sk-",), b"", rb"sk-(?<![A-Za-z0-9]sk-)[A-Za-z0-9_\-]{20}", rb"[A-Za-z0-9_\-]"),
    Rule((b"k_live_", b"k_test_"), b"", rb"[sr]k_(?:live|test)_[A-Za-z0-9]{16}", rb"[A-Za-z0-9]"),
    Rule((b"aiza",), b"", rb"AIza[A-Za-z0-9_\-]{35}", rb"[A-Za-z0-9_\-]"),
    Rule((b"akia", b"asia"), b"", rb"A[KS]IA(?<![A-Za-z0-9]A[KS]IA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    # A JSON Web Token: header and payload are JSON objects in base64.
    Rule((b"eyj",), b"", rb"eyJ[A-Za-z0-9_\-]{8,4000}\.eyJ", rb"[A-Za-z0-9_\-.=]"),
    *(
        Rule((word,), word + rb"(?:[_-]?(?:id|base64))?" + _IS, b"", _UNQUOTED, folded=True)
        for word in (
            b"password", b"passwd", b"passphrase", b"secret", b"credentials", b"_pwd", b"_pass",
            b"api_key", b"api-key", b"apikey", b"access_key", b"access-key", b"accesskey", b"secret_key", b"secretkey",
            b"private_key", b"account_key", b"accountkey", b"encryption_key", b"signing_key",
        )
    ),
    # "unexpected token: else" is what a compiler says.
    Rule((b"token",), rb"token[\"'\\]{0,3}\s{0,4}(?:=(?!=)|(?<! token)(?<! token[\"'])(?<! token\\[\"']):(?![:/]))\s{0,4}[\"'\\]{0,3}", b"", _UNQUOTED, folded=True),
    Rule((b"--",), rb"--[a-z\-]{0,40}(?:password|token|creds|secret)(?:\s{1,8}|=)[\"']?", b"", _UNQUOTED, folded=True),
)  # fmt: skip


class Secrets:
    """What is taken out: what the rules recognise, and values that are secrets here.

    Args:
        values: Texts of 6 to 2048 characters; of a text of several lines each line counts. They are found as they are, in
            URLs, in JSON, and in base64, by themselves or as a password after a user's name.
        patterns: Whether to apply the rules.

    Raises:
        ValueError: A value is too short to be told from other text, or too long, or there are too many.
    """

    def __init__(self, values: Iterable[str] = (), *, patterns: bool = True) -> None:
        literals = sorted({form for value in values for form in _forms(value)}, key=len, reverse=True)
        if len(literals) > MAX_VALUES * 5:
            raise ValueError(f"more than {MAX_VALUES} secrets to be taken out of logs")
        literal = b"|".join(map(re.escape, literals))
        own = (Rule((b"",), b"", b"(?:" + literal + b")"),) if literals else ()
        self.rules = own + (RULES if patterns else ())
        self._always = [index for index, rule in enumerate(self.rules) if b"" in rule.triggers]
        self._by_stem = _by_stem(self.rules)

    def worth(self, data: bytes) -> list[Rule]:
        """Return the rules whose heads may be in ``data``; the others' are not."""
        thin = data.translate(_LOWER, _IN_NO_STEM)
        present = [triggers for stem, triggers in self._by_stem if stem in thin]
        if not present:
            return [self.rules[index] for index in self._always]
        lowered = data.lower()
        found = {index for triggers in present for trigger, index in triggers if trigger in lowered}
        return [self.rules[index] for index in sorted(found.union(self._always))]

    def redact(self, text: str) -> str:
        """Return a text without them."""
        if not self.worth(text.encode("utf-8", "replace")):
            return text
        redactor = Redactor(self)
        found = b"".join([*redactor.feed(text.encode("utf-8", "replace")), *redactor.finish()])
        return found.decode("utf-8", "replace")


def _by_stem(rules: Sequence[Rule]) -> list[tuple[bytes, list[tuple[bytes, int]]]]:
    """Return the triggers, with the indices of their rules, by the first stem that they have."""
    found: dict[bytes, list[tuple[bytes, int]]] = {}
    for index, rule in enumerate(rules):
        for trigger in filter(None, rule.triggers):
            found.setdefault(next(stem for stem in STEMS if stem in trigger), []).append((trigger, index))
    return list(found.items())


class Redactor:
    """Reads one stream.

    Args:
        secrets: What is taken out of it.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._held = b""
        self._waiting = bytearray()  # each look costs as much as a long one: small chunks wait for each other
        self._emitted = 0  # how much of what is held is out already: what stands before a head matters to it
        self._inside: Rule | None = None
        self._swallowed = 0
        self.found = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take a chunk, and yield what is certain."""
        self._waiting += chunk
        if len(self._waiting) >= BATCH:
            yield from self._read(final=False)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest."""
        yield from self._read(final=True)

    def so_far(self) -> bytes:
        """Return what would still come if the stream ended here; it goes on as if nobody had asked."""
        twin = copy(self)
        twin._waiting = bytearray(self._waiting)  # noqa: SLF001 - it is one of us
        return b"".join(twin.finish())

    def _read(self, *, final: bool) -> Iterator[bytes]:
        data, at = self._held + bytes(self._waiting), self._emitted
        self._waiting.clear()
        heads = _Heads(self._secrets.worth(data), data)
        last = len(data) if final else len(data) - HEAD  # heads that start beyond are not complete yet
        while True:
            if self._inside is not None:
                at = self._swallow(data, at, final=final)
                if self._inside is not None:
                    break
            found = heads.first(at) if at < last else None
            if found is None or found[1].start() >= last:
                clean = max(at, last)
                yield data[at:clean]
                at = clean
                break
            rule, match = found
            yield data[at : match.end(1)] + MARK
            self.found += 1
            at = match.end()
            if rule.tail or rule.ends:
                self._inside, self._swallowed = rule, 0
        # A few bytes before what comes next: whether a word begins there.
        start = max(0, at - BEFORE)
        self._held, self._emitted = (b"", 0) if final else (data[start:], at - start)

    def _swallow(self, data: bytes, at: int, *, final: bool) -> int:
        rule = self._inside
        assert rule is not None
        if rule.tail:
            end = _class(rule.tail).match(data, at)
            over = end.end() if end else at
            if over < len(data) or final:
                self._inside = None
            return over
        # A block that never ends is not the whole log.
        limit = at + MAX_BLOCK - self._swallowed
        match = re.compile(rule.ends).search(data, at)
        if match and match.start() < limit:
            self._inside = None
            return match.end()
        over = min(limit, len(data) if final else max(at, len(data) - MAX_END))
        self._swallowed += over - at
        if over == limit or final:
            self._inside = None
        return over


def _forms(value: str) -> Iterator[bytes]:
    lines = [line.strip() for line in value.splitlines()]
    parts = {value.strip()} if len(lines) < 2 else {line for line in lines if len(line) >= MIN_VALUE}  # noqa: PLR2004 - one line
    for part in parts:
        if not MIN_VALUE <= len(part) <= MAX_VALUE:
            raise ValueError(
                f"a secret has {MIN_VALUE} to {MAX_VALUE} characters; a shorter one would hide half of the log"
            )
        raw = part.encode()
        yield raw
        yield quote(part, safe="").encode()
        yield json.dumps(part)[1:-1].encode()
        # In base64 as a whole, and wherever it begins within three bytes; ends that depend on neighbours are left out.
        for shift in range(3):
            packed = base64.b64encode(b"\0" * shift + raw)
            inner = packed[(0, 2, 3)[shift] :].rstrip(b"=")
            inner = inner[: len(inner) - (1 if (len(raw) + shift) % 3 else 0)]
            if len(inner) >= MIN_VALUE:
                yield inner


class _Heads:
    """Finds the heads of rules in one piece of data, from the left."""

    def __init__(self, rules: Sequence[Rule], data: bytes) -> None:
        lowered = data.lower() if rules else data
        self._searches = [(rule, _head(rule), lowered if rule.folded else data) for rule in rules]
        self._next: list[re.Match[bytes] | None] = [None] * len(rules)
        self._searched = [-1] * len(rules)

    def first(self, at: int) -> tuple[Rule, re.Match[bytes]] | None:
        """Return the leftmost head that starts at ``at`` or later; of several, the rule that comes first."""
        best = None
        for index, (rule, pattern, data) in enumerate(self._searches):
            match = self._next[index]
            if self._searched[index] < 0 or (match is not None and match.start() < at):
                match = self._next[index] = pattern.search(data, at)
                self._searched[index] = at
            if match is not None and (best is None or match.start() < best[1].start()):
                best = (rule, match)
        return best


@lru_cache(maxsize=256)
def _head(rule: Rule) -> re.Pattern[bytes]:
    return re.compile(b"(" + rule.keep + b")" + rule.head)


@lru_cache(maxsize=64)
def _class(tail: bytes) -> re.Pattern[bytes]:
    return re.compile(tail + b"*")
