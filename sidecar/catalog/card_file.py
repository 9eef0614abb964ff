"""NAME.json beside a LoRA: what its maker says about it. A broken card is never an error.

Our keys are those of `LoraCard`; the keys of AUTOMATIC1111's cards ("activation text",
"negative text") are understood too.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

MAX_CARD_BYTES = 1024 * 1024
MAX_TEXT = 4096


@dataclass
class CardFile:
    """The fields that could be read; `warnings` has a sentence for each that could not."""

    title: str | None = None
    family: str | None = None
    rank: int | None = None
    trigger_words: list[str] = field(default_factory=list[str])
    prompt_template: str | None = None
    negative_prompt: str | None = None
    conflict_group: str | None = None
    alpha_range: tuple[float, float] | None = None
    vae: str | None = None
    no_half_vae: bool = False
    preview: str | None = None
    license: str | None = None
    warnings: list[str] = field(default_factory=list[str])


def read_card(path: Path) -> CardFile:
    """The card at `path`; an empty one when there is none."""
    card = CardFile()
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise ValueError("it is too large")
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return card
    except (OSError, ValueError, RecursionError) as exc:
        card.warnings.append(f"The card {path.name} cannot be read: {_why(exc)}.")
        return card
    if not isinstance(value, dict):
        card.warnings.append(f"The card {path.name} is not a JSON object.")
        return card
    _fill(card, cast("dict[str, Any]", value), path.name)
    return card


def _fill(card: CardFile, value: dict[str, Any], file: str) -> None:
    def take(target: str, *keys: str, kind: Any) -> None:
        for key in keys:
            given = value.get(key)
            if given is None or given == "":
                continue
            read = kind(given)
            if read is None:
                card.warnings.append(f"“{key}” in the card {file} is not understood.")
                continue
            setattr(card, target, read)
            return

    for name in ("title", "family", "conflict_group", "vae", "preview", "license"):
        take(name, name, kind=_text)
    take("rank", "rank", kind=_positive)
    take("no_half_vae", "no_half_vae", kind=_flag)
    take("trigger_words", "trigger_words", "activation text", kind=_words)
    take("prompt_template", "prompt_template", kind=_text)
    take("negative_prompt", "negative_prompt", "negative text", kind=_text)
    take("alpha_range", "alpha_range", kind=_range)


def _why(exc: Exception) -> str:
    if isinstance(exc, json.JSONDecodeError):
        return f"{exc.msg}, line {exc.lineno}"
    if isinstance(exc, OSError):
        return exc.strerror or "no access"
    return str(exc) if type(exc) is ValueError else "it is not valid JSON"


def _text(value: Any) -> str | None:
    return value[:MAX_TEXT] if isinstance(value, str) and "\0" not in value else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _positive(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _words(value: Any) -> list[str] | None:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list):
        return None
    items = cast("list[object]", words)
    if not all(isinstance(word, str) for word in items):
        return None
    return [word.strip() for word in cast("list[str]", items) if word.strip()]


def _range(value: Any) -> tuple[float, float] | None:
    match value:
        case [int() | float() as low, int() | float() as high]:
            return (float(low), float(high)) if -math.inf < low <= high < math.inf else None
        case _:
            return None
