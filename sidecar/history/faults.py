"""Faults of the disk and of SQLite as one error with a reason that a person can act on."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from sidecar.errors import StorageFault

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_IN_THE_WAY = {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}


def storage_fault(exc: OSError | sqlite3.Error, folder: Path) -> StorageFault:
    """`exc`, which came up while working in `folder`, in words."""
    reason = _os_reason(exc, folder) if isinstance(exc, OSError) else _sqlite_reason(exc, folder)
    return StorageFault(reason=reason)


def is_damage(exc: sqlite3.Error) -> bool:
    """Whether the database file itself is broken, as opposed to busy, full or out of reach."""
    return _primary_code(exc) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_busy(exc: sqlite3.Error) -> bool:
    return _primary_code(exc) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _os_reason(exc: OSError, folder: Path) -> str:
    where = exc.filename if isinstance(exc.filename, str) else str(folder)
    if exc.errno in _FULL:
        return f"the disk that holds {folder} is full"
    if exc.errno in _FORBIDDEN:
        return f"{where} may not be written (read-only, or no permission)"
    if exc.errno in _IN_THE_WAY:
        return f"{where} is in the way, a file where a folder should be or the other way round"
    return f"{where}: {exc.strerror or exc}"


def _sqlite_reason(exc: sqlite3.Error, folder: Path) -> str:
    reasons = {
        sqlite3.SQLITE_FULL: f"the disk that holds {folder} is full",
        sqlite3.SQLITE_READONLY: f"{folder} may not be written (read-only, or no permission)",
        sqlite3.SQLITE_CANTOPEN: f"the history in {folder} cannot be opened or made there",
        sqlite3.SQLITE_BUSY: f"another program has kept the history in {folder} locked",
        sqlite3.SQLITE_IOERR: f"reading or writing the history in {folder} failed",
    }
    return reasons.get(_primary_code(exc), f"the history in {folder} is damaged ({exc})")


def _primary_code(exc: sqlite3.Error) -> int:
    code: int | None = getattr(exc, "sqlite_errorcode", None)
    return (code or 0) & 0xFF
