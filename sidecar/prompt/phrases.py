"""Prompts taken apart at their commas, and what a phrase says without its weights.

The syntax is that of AUTOMATIC1111's web UI, which other programs have taken over: (more),
(more:1.2), [less], escaped \\( \\), [from:to:when], [one|other], <lora:name:1>.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

KEPT = frozenset({"BREAK", "AND"})
"""Words of that syntax that stand in a prompt as often as they are needed."""

_COMMAS = ",，、"
_OPEN, _CLOSE = "([{<", ")]}>"
_WEIGHING = "([{"
_ESCAPE = re.compile(r"\\([\\()\[\]{}])")
_WEIGHT = re.compile(r":\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$")
_SPACES = re.compile(r"[\s_]+")


def split(text: str) -> list[str]:
    """The phrases between commas that stand in no bracket, without space around them. A bracket
    without its partner, as in ":(", is a letter like any other."""
    brackets = _paired(text)
    parts: list[str] = []
    depth = start = 0
    for index, char in enumerate(text):
        if index in brackets:
            depth += 1 if char in _OPEN else -1
        elif char in _COMMAS and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def _paired(text: str) -> set[int]:
    """Where the brackets stand that have a partner and no backslash before them."""
    paired: set[int] = set()
    waiting: list[int] = []
    escaped = False
    for index, char in enumerate(text):
        if char == "\\":
            escaped = not escaped
            continue
        if not escaped and char in _OPEN:
            waiting.append(index)
        elif not escaped and char in _CLOSE:
            opening = _OPEN[_CLOSE.index(char)]
            partner = next((i for i in reversed(waiting) if text[i] == opening), None)
            if partner is not None:
                del waiting[waiting.index(partner) :]
                paired |= {partner, index}
        escaped = False
    return paired


def same(text: str) -> str:
    """Text as it is compared: without regard to case, spaces, underscores and Unicode forms."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def keys(phrase: str) -> frozenset[str]:
    """What a phrase says without its weights; several when a bracket holds several."""
    if _is_schedule(phrase):
        return frozenset({same(phrase)})
    words = (same(_bare(part)) for part in _parts(phrase))
    return frozenset(word for word in words if word)


def _parts(phrase: str) -> Iterator[str]:
    """The phrases inside brackets that hold all of it, else the phrase itself."""
    inner = _unwrapped(phrase)
    if inner is None:
        yield phrase
        return
    for part in split(inner):
        yield from _parts(part)


def _unwrapped(phrase: str) -> str | None:
    """What stands in the brackets around a phrase, without its weight; None: there are none."""
    text = phrase.strip()
    if len(text) < 2 or text[0] not in _WEIGHING or text[-1] not in _CLOSE:
        return None
    brackets, depth = _paired(text), 0
    if not {0, len(text) - 1} <= brackets:
        return None
    for index in sorted(brackets):
        depth += 1 if text[index] in _OPEN else -1
        if depth == 0 and index < len(text) - 1:
            return None
    return _WEIGHT.sub("", text[1:-1])


def _bare(phrase: str) -> str:
    """Brackets, weights and commas taken out; escaped brackets stay as letters."""
    brackets = {i for i in _paired(phrase) if phrase[i] in "()[]{}"}
    out = ""
    for index, char in enumerate(phrase):
        if index not in brackets:
            out += " " if char in _COMMAS else char
        elif char in _CLOSE:
            out = _WEIGHT.sub("", out)
    return _ESCAPE.sub(r"\1", out)


def _is_schedule(phrase: str) -> bool:
    """[from:to:when] and [one|other] say more than their words."""
    text = phrase.strip()
    return text.startswith("[") and text.endswith("]") and (":" in text or "|" in text)
