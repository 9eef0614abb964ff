"""Names from the wire, and files that really lie inside a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MAX_NAME = 255
MAX_DEPTH = 6

_RESERVED = {"con", "prn", "aux", "nul"} | {f"{p}{i}" for p in ("com", "lpt") for i in range(1, 10)}


def is_plain_name(name: str) -> bool:
    """Whether `name` is a file's name on every system: no path, no drive, no device."""
    if not name or len(name) > MAX_NAME or name in (".", "..") or name != name.strip():
        return False
    if any(c in '/\\:"<>|?*' or ord(c) < 32 or ord(c) == 127 for c in name):
        return False
    return not name.endswith(".") and name.split(".")[0].lower() not in _RESERVED


def lies_inside(path: Path, folder: Path) -> bool:
    """Whether `path`, with every link followed, is below `folder`."""
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve(strict=True))
    except (OSError, RuntimeError):  # a dangling link, or a loop of links
        return False


def files_inside(folder: Path, suffix: str, depth: int = MAX_DEPTH) -> Iterator[Path]:
    """Files with that suffix in `folder` and below: those at the top first, then by name.

    Linked folders are not entered; a linked file counts only when its target is inside. What
    cannot be read is left out, as is a folder that does not exist.
    """
    yield from _walk(folder, folder, suffix, depth)


def _walk(root: Path, folder: Path, suffix: str, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    below: list[Path] = []
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                below.append(path)
        elif entry.name.lower().endswith(suffix) and _is_file_of(entry, path, root):
            yield path
    if depth > 0:
        for path in below:
            yield from _walk(root, path, suffix, depth - 1)


def _is_file_of(entry: os.DirEntry[str], path: Path, root: Path) -> bool:
    try:
        return entry.is_file() and (not entry.is_symlink() or lies_inside(path, root))
    except OSError:
        return False
