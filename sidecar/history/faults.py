"""Faults of SQLite as one error with a cause that a person can act on."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from sidecar.disk_faults import disk_fault
from sidecar.errors import StorageFault

_CAUSES = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_READONLY: "not_writable",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_IOERR: "history_unreadable",
}

_OF_DAMAGE = re.compile(
    "Could not decode|malformed|no such (table|column)|has no column|unsupported file format"
)


def storage_fault(exc: OSError | sqlite3.Error, folder: Path) -> StorageFault:
    """`exc`, which came up while working in `folder`, in words."""
    if isinstance(exc, OSError):
        return disk_fault(exc, folder)
    cause = _CAUSES.get(_primary_code(exc), "damaged")
    return StorageFault(cause=cause, folder=str(folder), path=str(folder), detail=str(exc))


def is_damage(exc: Exception) -> bool:
    """Whether the database file itself is broken, as opposed to busy, full or out of reach.

    SQLite finds broken pages; a broken schema lacks our tables, or is told in words that are not
    UTF-8, as broken texts are. For those Python has other exceptions, or none with a code.
    """
    if isinstance(exc, UnicodeDecodeError):
        return True
    if not isinstance(exc, sqlite3.Error):
        return False
    broken = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return _primary_code(exc) in broken or _OF_DAMAGE.search(str(exc)) is not None


def is_full(exc: sqlite3.Error) -> bool:
    return _primary_code(exc) == sqlite3.SQLITE_FULL


def is_busy(exc: sqlite3.Error) -> bool:
    return _primary_code(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _primary_code(exc: sqlite3.Error) -> int:
    code: int | None = getattr(exc, "sqlite_errorcode", None)
    return (code or 0) & 0xFF
