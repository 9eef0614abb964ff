"""What trainers write into LoRA files: kohya-ss (`ss_*`), Stability AI's ModelSpec (`modelspec.*`).

All of it is text from a stranger: read where it is what it should be, else left out.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from sidecar.protocol.library import TagCount, TrainingReport

MAX_JSON = 4 * 1024 * 1024
TOP_TAGS = 20
SUGGESTED = 8
MAX_TAG = 80
MAX_TEXT = 2000
SHOWN_VALUE = 400

Metadata = Mapping[str, str]


def training_report(metadata: Metadata) -> TrainingReport:
    """The facts of a training, as far as the file tells them."""
    return TrainingReport(
        base_model=_first(metadata, "ss_sd_model_name", "ss_base_model_version", "base_model"),
        network=_first(metadata, "ss_network_module", "modelspec.architecture"),
        rank=_integer(metadata, "ss_network_dim"),
        alpha=_number(metadata, "ss_network_alpha"),
        resolution=_first(metadata, "ss_resolution", "modelspec.resolution"),
        images=_integer(metadata, "ss_num_train_images"),
        steps=_integer(metadata, "ss_steps"),
        epochs=_integer(metadata, "ss_num_epochs"),
        learning_rate=_number(metadata, "ss_unet_lr") or _number(metadata, "ss_learning_rate"),
        trained=_first(metadata, "modelspec.date") or _time(metadata, "ss_training_finished_at"),
        author=_first(metadata, "modelspec.author", "author"),
        description=_first(metadata, "modelspec.description", "ss_training_comment"),
        top_tags=[TagCount(tag=tag, count=n) for tag, n in tags(metadata).most_common(TOP_TAGS)],
    )


def tags(metadata: Metadata) -> Counter[str]:
    """How often each word stood in the captions, over all folders (`ss_tag_frequency`)."""
    counted: Counter[str] = Counter()
    for folder in _object(metadata.get("ss_tag_frequency", "")).values():
        if not isinstance(folder, dict):
            continue
        for tag, count in cast("dict[str, Any]", folder).items():
            if type(count) is int and count > 0 and 0 < len(tag.strip()) <= MAX_TAG:
                counted[tag.strip()] += count
    return counted


def suggested_words(metadata: Metadata) -> list[str]:
    """The commonest words of the captions, for files whose makers name no trigger words."""
    return [tag for tag, _ in tags(metadata).most_common(SUGGESTED)]


def shown_metadata(metadata: Metadata) -> dict[str, str]:
    """The file's own metadata, with long values cut."""
    return {
        key: value if len(value) <= SHOWN_VALUE else value[: SHOWN_VALUE - 1] + "…"
        for key, value in metadata.items()
    }


def _object(text: str) -> dict[str, Any]:
    if not text or len(text) > MAX_JSON:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _first(metadata: Metadata, *keys: str) -> str | None:
    """The first of these that says something; trainers write "None" for what they do not know."""
    texts = (metadata.get(key, "").strip() for key in keys)
    return next((text[:MAX_TEXT] for text in texts if text and text != "None"), None)


def _number(metadata: Metadata, key: str) -> float | None:
    try:
        value = float(metadata.get(key, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _integer(metadata: Metadata, key: str) -> int | None:
    value = _number(metadata, key)
    return int(value) if value is not None and value == int(value) else None


def _time(metadata: Metadata, key: str) -> str | None:
    """Seconds since 1970, as kohya-ss writes them."""
    seconds = _number(metadata, key)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
