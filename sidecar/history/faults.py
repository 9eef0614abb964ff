"""Faults of SQLite as one error with a cause that a person can act on."""

from __future__ import annotations

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


def storage_fault(exc: OSError | sqlite3.Error, folder: Path) -> StorageFault:
    """`exc`, which came up while working in `folder`, in words."""
    if isinstance(exc, OSError):
        return disk_fault(exc, folder)
    cause = _CAUSES.get(_primary_code(exc), "damaged")
    return StorageFault(cause=cause, folder=str(folder), path=str(folder), detail=str(exc))


def is_damage(exc: sqlite3.Error) -> bool:
    """Whether the database file itself is broken, as opposed to busy, full or out of reach."""
    return _primary_code(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_busy(exc: sqlite3.Error) -> bool:
    return _primary_code(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _primary_code(exc: sqlite3.Error) -> int:
    code: int | None = getattr(exc, "sqlite_errorcode", None)
    return (code or 0) & 0xFF
