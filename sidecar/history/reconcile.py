"""Bring rows and files together after a crash. Runs under the write lock, at the first open.

- a temporary file is removed: nobody else can be writing one now;
- a row whose picture is gone is dropped;
- a picture without a row is adopted from the recipe inside it (a crash between rename and commit,
  or a lost database); a file of ours whose recipe cannot be read is left where it is;
- an initial picture that belongs to nothing is removed.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Set
from dataclasses import replace
from pathlib import Path

from sidecar.history import rows
from sidecar.history.files import is_temporary, remove_quietly, sync_folder
from sidecar.history.recipe import PNG, WEBP, read_recipe
from sidecar.history.rows import Row

INIT_SUFFIX = ".init"
SUFFIX_OF_MIME = {PNG: ".png", WEBP: ".webp", "image/jpeg": ".jpg"}

_MIME_OF_SUFFIX = {suffix: mime for mime, suffix in SUFFIX_OF_MIME.items()}
_OUR_NAME = re.compile(r"(\d{8}-\d{6}-\d{3}-[0-9a-f]{8})(\.[a-z]+)")


def collect_garbage(connection: sqlite3.Connection, images: Path) -> None:
    """Remove files of entries deleted earlier that are still there."""
    gone = [name for name in rows.garbage(connection) if remove_quietly(images / name)]
    if gone:
        sync_folder(images)
        rows.forget_garbage(connection, gone)


def reconcile(connection: sqlite3.Connection, images: Path) -> int:
    """See the module. Returns how many were adopted; rows beyond the limit are the caller's."""
    names = set(os.listdir(images))
    for name in filter(is_temporary, names):
        remove_quietly(images / name)
    _drop_rows_without_file(connection, names)
    known = rows.files_by_id(connection)
    strangers = names - set(known.values()) - set(rows.garbage(connection))
    adopted = _adopt(connection, images, strangers)
    _remove_lost_inits(images, names, rows.files_by_id(connection))
    return adopted


def _drop_rows_without_file(connection: sqlite3.Connection, names: Set[str]) -> None:
    """A row that names a file by another id is damaged; its picture is adopted again."""
    known = rows.files_by_id(connection).items()
    lost = [i for i, file in known if file not in names or not file.startswith(f"{i}.")]
    rows.forget(connection, lost)


def _adopt(connection: sqlite3.Connection, images: Path, names: Set[str]) -> int:
    found = [row for name in names if (row := _row_from_file(images, name))]
    taken = set(rows.files_by_id(connection))
    sequences = {int(seq) for (seq,) in connection.execute("SELECT seq FROM entries")}
    before = len(sequences)
    for row in sorted(found, key=lambda row: (row.seq, row.id)):
        if row.id in taken:
            continue
        seq = rows.next_sequence(connection) if row.seq in sequences else row.seq
        rows.insert(connection, replace(row, seq=seq))
        sequences.add(seq)
    return len(sequences) - before


def _row_from_file(images: Path, name: str) -> Row | None:
    match = _OUR_NAME.fullmatch(name)
    mime = _MIME_OF_SUFFIX.get(match.group(2)) if match else None
    if match is None or mime is None:
        return None
    data = (images / name).read_bytes()
    found = read_recipe(data, mime)
    if found is None or found.recipe.id != match.group(1):
        return None
    init_name = match.group(1) + INIT_SUFFIX
    return Row(
        seq=found.recipe.sequence,
        id=found.recipe.id,
        created=found.recipe.created,
        pinned=False,
        file=name,
        init_file=init_name if (images / init_name).is_file() else None,
        mime=mime,
        width=found.recipe.width,
        height=found.recipe.height,
        bytes=len(data),
        thumbnail=found.thumbnail,
        parameters=found.recipe.parameters,
    )


def _remove_lost_inits(images: Path, names: Set[str], known: dict[str, str]) -> None:
    """An initial picture is written before its picture: alone, it was never part of an entry."""
    pictures = {m.group(1) for name in names if (m := _OUR_NAME.fullmatch(name)) and _is_picture(m)}
    for name in names:
        match = _OUR_NAME.fullmatch(name)
        if match is None or match.group(2) != INIT_SUFFIX:
            continue
        if match.group(1) not in known and match.group(1) not in pictures:
            remove_quietly(images / name)


def _is_picture(match: re.Match[str]) -> bool:
    return match.group(2) in _MIME_OF_SUFFIX
