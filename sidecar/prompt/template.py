"""A style's words in a prompt: put in once, however often it is done, and taken out again.

What the person wrote wins: a phrase of the template that the prompt has already, in whatever
case, spacing or weight, is not added. So merging is idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sidecar.prompt.phrases import KEPT, keys, same, split

SLOT = "{prompt}"
_COMMAS = ",，、"


@dataclass(frozen=True)
class Template:
    """`text`: with {prompt} where the prompt goes, or what stands before it; `trigger_words` go in
    front unless the text has them; `negative` is added to the negative prompt."""

    text: str = ""
    trigger_words: tuple[str, ...] = ()
    negative: str = ""

    @property
    def of_negative(self) -> Template:
        """The same style's template for negative prompts."""
        return Template(f"{SLOT}, {self.negative}" if self.negative else SLOT)


@dataclass(frozen=True)
class Merged:
    """`added`: phrases that came in; `removed`: duplicates that were left out."""

    text: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Frame:
    """A template taken apart: phrases before and after, and words that join the prompt's own
    first and last phrase ("a painting of {prompt} in oil")."""

    before: tuple[str, ...]
    joined_before: str
    joined_after: str
    after: tuple[str, ...]


def merge(prompt: str, template: Template) -> Merged:
    """The prompt in the template, with the trigger words; every phrase once."""
    frame = _frame(template)
    own, removed = _once(split(prompt))
    framed, glue = _joined(own, frame)
    before = _new(frame.before, framed)
    after = _new(frame.after, [*framed, *before])
    triggers = _new(template.trigger_words, [*framed, *before, *after])
    added = (*triggers, *before, *glue, *after)
    if not added and not removed:
        return Merged(prompt)
    whole, again = _once([*triggers, *before, *framed, *after])
    return Merged(", ".join(whole), added, (*removed, *again))


def merge_negative(negative: str, template: Template) -> Merged:
    """The negative prompt with the template's behind it."""
    return merge(negative, template.of_negative)


def without(prompt: str, template: Template) -> Merged:
    """The prompt without what `merge` adds. A phrase that the person gave a weight of their own
    stays; one that they wrote exactly as the template has it goes too."""
    frame = _frame(template)
    of_template = {same(p) for p in (*template.trigger_words, *frame.before, *frame.after)}
    kept: list[str] = []
    removed: list[str] = []
    for phrase in split(prompt):
        if same(phrase) in of_template:
            removed.append(phrase)
            continue
        bare = _unjoined(phrase, frame)
        removed += [phrase] if bare != phrase else []
        kept += [bare] if bare else []
    return Merged(", ".join(kept), (), tuple(removed)) if removed else Merged(prompt)


def _frame(template: Template) -> _Frame:
    head, slot, tail = template.text.partition(SLOT)
    tail = tail.replace(SLOT, "")
    before, after = split(head), split(tail)
    first = last = ""
    if slot and before and head.rstrip()[-1] not in _COMMAS:
        first = before.pop()
    if slot and after and tail.lstrip()[0] not in _COMMAS:
        last = after.pop(0)
    return _Frame(tuple(before), first, last, tuple(after))


def _joined(own: Sequence[str], frame: _Frame) -> tuple[list[str], list[str]]:
    """The prompt's phrases with the words that join them, unless these are there already."""
    phrases = list(own) or [""]
    glue: list[str] = []
    first, last = same(frame.joined_before), same(frame.joined_after)
    if first and not _in(first, map(same, phrases)):
        phrases[0] = f"{frame.joined_before} {phrases[0]}".strip()
        glue.append(frame.joined_before)
    if last and not _in(last, map(same, phrases)):
        phrases[-1] = f"{phrases[-1]} {frame.joined_after}".strip()
        glue.append(frame.joined_after)
    return [phrase for phrase in phrases if phrase], glue


def _unjoined(phrase: str, frame: _Frame) -> str:
    if frame.joined_before and same(phrase).startswith(same(frame.joined_before)):
        phrase = phrase[len(frame.joined_before) :].strip()
    if frame.joined_after and same(phrase).endswith(same(frame.joined_after)):
        phrase = phrase[: len(phrase) - len(frame.joined_after)].strip()
    return phrase


def _once(phrases: Iterable[str]) -> tuple[list[str], list[str]]:
    """Phrases that say something new, and those that only repeat."""
    kept: list[str] = []
    repeated: list[str] = []
    seen: set[str] = set()
    for phrase in phrases:
        said = keys(phrase)
        if phrase not in KEPT and said and said <= seen:
            repeated.append(phrase)
        else:
            kept.append(phrase)
            seen |= said
    return kept, repeated


def _new(phrases: Iterable[str], there: Sequence[str]) -> list[str]:
    """Those whose words stand nowhere in `there` yet, each once."""
    said = [key for phrase in there for key in keys(phrase)]
    kept: list[str] = []
    for phrase in phrases:
        words = keys(phrase)
        if not all(_in(key, said) for key in words):
            kept.append(phrase)
            said += words
    return kept


def _in(words: str, said: Iterable[str]) -> bool:
    """Whether these words stand there in a row: a trigger also works inside a phrase."""
    return any(f" {words} " in f" {key} " for key in said)
