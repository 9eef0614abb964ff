"""Rows of the history: read, written, chosen for eviction. Always within a transaction."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sidecar.history.database import damaged
from sidecar.protocol.history import HistoryEntry
from sidecar.protocol.pictures import PictureParameters

Connection = sqlite3.Connection

MAX_INTEGER = 2**63 - 1
_TEXTS = ("id", "created", "file", "mime", "parameters")
_NUMBERS = ("seq", "width", "height", "bytes")


@dataclass(frozen=True)
class Row:
    """One entry as it is stored; `file` and `init_file` are names in the images folder."""

    seq: int
    id: str
    created: str
    pinned: bool
    file: str
    init_file: str | None
    mime: str
    width: int
    height: int
    bytes: int
    thumbnail: bytes
    parameters: PictureParameters

    def entry(self, images: Path) -> HistoryEntry:
        return HistoryEntry(
            id=self.id,
            created=self.created,
            pinned=self.pinned,
            parameters=self.parameters,
            mime=self.mime,
            width=self.width,
            height=self.height,
            bytes=self.bytes,
            path=str(images / self.file),
            thumbnail="data:image/webp;base64," + base64.b64encode(self.thumbnail).decode(),
        )


_COLUMNS = ", ".join(Row.__dataclass_fields__)


def next_sequence(connection: Connection) -> int:
    """One more than any sequence number ever given, also to entries deleted since."""
    query = "SELECT seq FROM sqlite_sequence WHERE name = 'entries'"
    found = connection.execute(query).fetchone()
    return 1 + (int(found[0]) if found else 0)


def insert(connection: Connection, row: Row) -> None:
    connection.execute(
        "INSERT INTO entries (seq, id, created, pinned, file, init_file, mime, width, height,"
        " bytes, thumbnail, parameters) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.seq,
            row.id,
            row.created,
            int(row.pinned),
            row.file,
            row.init_file,
            row.mime,
            row.width,
            row.height,
            row.bytes,
            row.thumbnail,
            row.parameters.model_dump_json(),
        ),
    )


def find(connection: Connection, entry_id: str) -> Row | None:
    found = connection.execute(
        f"SELECT {_COLUMNS} FROM entries WHERE id = ?", (entry_id,)
    ).fetchone()
    return _row(found) if found else None


def newest(connection: Connection, limit: int, offset: int) -> list[Row]:
    query = f"SELECT {_COLUMNS} FROM entries ORDER BY seq DESC LIMIT ? OFFSET ?"
    bounded = (min(limit, MAX_INTEGER), min(offset, MAX_INTEGER))
    return [_row(found) for found in connection.execute(query, bounded)]


def count(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])


def ids(connection: Connection, include_pinned: bool) -> list[str]:
    query = "SELECT id FROM entries WHERE pinned <= ? ORDER BY seq"
    return [str(found[0]) for found in connection.execute(query, (int(include_pinned),))]


def over_limit(connection: Connection, keep: int) -> list[str]:
    """Ids of the oldest entries without a pin beyond the newest `keep` of them, oldest first."""
    query = "SELECT id FROM entries WHERE NOT pinned ORDER BY seq DESC LIMIT -1 OFFSET ?"
    return [str(found[0]) for found in connection.execute(query, (keep,))][::-1]


def set_pin(connection: Connection, entry_ids: Iterable[str], pinned: bool) -> None:
    connection.executemany(
        "UPDATE entries SET pinned = ? WHERE id = ?", [(int(pinned), i) for i in entry_ids]
    )


def discard(connection: Connection, entry_ids: Iterable[str]) -> list[str]:
    """Take entries out; their files become garbage. Returns the names of those files."""
    files: list[str] = []
    for entry_id in entry_ids:
        query = "DELETE FROM entries WHERE id = ? RETURNING file, init_file"
        for found in connection.execute(query, (entry_id,)).fetchall():
            files += [str(name) for name in found if name is not None]
    connection.executemany("INSERT OR IGNORE INTO garbage VALUES (?)", [(name,) for name in files])
    return files


def forget(connection: Connection, entry_ids: Iterable[str]) -> None:
    """Drop rows whose files are not there; should these come back, they are adopted again."""
    connection.executemany("DELETE FROM entries WHERE id = ?", [(i,) for i in entry_ids])


def garbage(connection: Connection) -> list[str]:
    return [str(found[0]) for found in connection.execute("SELECT file FROM garbage")]


def forget_garbage(connection: Connection, names: Iterable[str]) -> None:
    connection.executemany("DELETE FROM garbage WHERE file = ?", [(name,) for name in names])


def files_of(connection: Connection, entry_ids: Iterable[str]) -> list[str]:
    """Names of the files of those entries."""
    files: list[str] = []
    for entry_id in entry_ids:
        query = "SELECT file, init_file FROM entries WHERE id = ?"
        for found in connection.execute(query, (entry_id,)):
            files += [str(name) for name in found if name is not None]
    return files


def files_by_id(connection: Connection) -> dict[str, str]:
    return {str(i): str(f) for i, f in connection.execute("SELECT id, file FROM entries")}


def _row(found: sqlite3.Row) -> Row:
    """Raises DatabaseError for what was never written so: SQLite checks its pages, not values."""
    if not _as_written(found):
        raise damaged(f"entry {found['seq']} holds something else")
    values = {name: found[name] for name in Row.__dataclass_fields__}
    values["pinned"] = bool(values["pinned"])
    try:
        values["parameters"] = PictureParameters.model_validate_json(found["parameters"])
    except ValueError as exc:
        raise damaged(f"entry {found['seq']} has no readable parameters") from exc
    return Row(**values)


def _as_written(found: sqlite3.Row) -> bool:
    return (
        all(isinstance(found[name], str) for name in _TEXTS)
        and all(isinstance(found[name], int) for name in _NUMBERS)
        and isinstance(found["thumbnail"], bytes)
        and isinstance(found["init_file"], str | None)
    )
