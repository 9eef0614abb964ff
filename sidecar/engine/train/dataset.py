"""A data set on disk: pictures with a caption of the same name beside each.

    DATA/target/    the style to be learnt (needed)
    DATA/source/    what the base model draws by itself, for the warm-up (optional)
    DATA/holdout/   pictures that are never trained on, for early stopping (optional)
    DATA/negative/  bad pictures to keep away from (optional)

Within each, kohya-ss' folders "10_some words" are understood: each picture counts ten times, and
the words are the caption of pictures without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sidecar.errors import DatasetInvalid

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
MAX_CAPTION = 4096
HOLDOUT_EVERY = 12

_REPEATS = re.compile(r"^(\d{1,4})_(.*)$")


@dataclass(frozen=True)
class Item:
    """One picture. `repeats`: how often it comes in an epoch."""

    path: Path
    caption: str
    repeats: int = 1


@dataclass(frozen=True)
class Dataset:
    """All pictures of a data set. `notes`: sentences about what was missing or made up for."""

    root: Path
    target: tuple[Item, ...]
    source: tuple[Item, ...]
    holdout: tuple[Item, ...]
    negative: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    def items(self) -> Iterator[Item]:
        """Every picture once."""
        yield from (*self.target, *self.source, *self.holdout, *self.negative)


def read_dataset(root: Path) -> Dataset:
    """The data set in a folder; pictures are not opened yet. Raises DatasetInvalid."""
    if not root.is_dir():
        raise DatasetInvalid(reason=f"{root} is not a folder")
    if not (root / "target").is_dir():
        raise DatasetInvalid(reason=f"{root} has no folder named “target”")
    parts = {name: _read_part(root / name) for name in ("target", "source", "holdout", "negative")}
    if not parts["target"]:
        raise DatasetInvalid(reason="“target” has no PNG, JPEG, WebP or BMP picture in it")
    notes: list[str] = []
    if not parts["holdout"]:
        parts["target"], parts["holdout"] = _split(parts["target"])
        notes.append(f"No holdout folder: {len(parts['holdout'])} target pictures are held out.")
    return Dataset(root=root, notes=tuple(notes), **parts)


def _split(items: tuple[Item, ...]) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Every twelfth picture (at least one) is held out; of one picture, a copy."""
    if len(items) == 1:
        return items, items
    held = items[::HOLDOUT_EVERY]
    return tuple(i for i in items if i not in set(held)), held


def _read_part(folder: Path) -> tuple[Item, ...]:
    if not folder.is_dir():
        return ()
    items = [_item(path, 1, "") for path in _pictures(folder)]
    for inner in sorted(p for p in folder.iterdir() if p.is_dir()):
        found = _REPEATS.match(inner.name)
        repeats, words = (int(found[1]), found[2].strip()) if found else (1, "")
        if repeats:
            items += [_item(path, repeats, words) for path in _pictures(inner)]
    return tuple(items)


def _pictures(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and p.is_file())


def _item(path: Path, repeats: int, words: str) -> Item:
    where = f"{path.parent.name}/{path.name}"
    try:
        caption = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        if not words:
            raise DatasetInvalid(
                reason=f"{where} has no caption; write one into {path.stem}.txt"
            ) from None
        caption = words
    except UnicodeDecodeError as exc:
        raise DatasetInvalid(reason=f"the caption of {where} is not UTF-8 text") from exc
    if not caption:
        raise DatasetInvalid(reason=f"the caption of {where} is empty")
    if len(caption) > MAX_CAPTION:
        raise DatasetInvalid(reason=f"the caption of {where} is longer than {MAX_CAPTION} letters")
    return Item(path, caption, repeats)
