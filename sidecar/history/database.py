"""The SQLite file: how it is opened, kept durable, migrated, and set aside when it is broken.

WAL, so that readers never wait; `synchronous=FULL`, because in WAL mode NORMAL may lose the last
commits in a power cut. Every transaction that touches files holds SQLite's write lock from its
first to its last step, so two sidecars on one data folder never see each other's half-done work.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from sidecar.history.faults import is_busy

BUSY_SECONDS = 10.0

Migration = tuple[str, ...]

# Append only: the number of migrations a database has seen is its `user_version`.
# `seq` gives the order, since clocks go backwards. `garbage` names files that belong to no entry
# any more; they are removed after the transaction that put them there.
MIGRATIONS: tuple[Migration, ...] = (
    (
        """CREATE TABLE entries (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            created TEXT NOT NULL,
            pinned INTEGER NOT NULL DEFAULT 0,
            file TEXT NOT NULL,
            init_file TEXT,
            mime TEXT NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            thumbnail BLOB NOT NULL,
            parameters TEXT NOT NULL
        )""",
        "CREATE INDEX entries_by_pin ON entries (pinned, seq)",
        "CREATE TABLE garbage (file TEXT PRIMARY KEY) WITHOUT ROWID",
    ),
)


class NewerDatabase(Exception):
    """The file was written by a later version of the sidecar."""


def connect(path: Path) -> sqlite3.Connection:
    """A checked connection. Raises sqlite3.Error; transactions are opened by `writing`."""
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        _switch_to_wal(connection)
        for pragma in ("synchronous=FULL", "fullfsync=1", "checkpoint_fullfsync=1"):
            connection.execute(f"PRAGMA {pragma}")
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if verdict != "ok":
            raise damaged(verdict)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Generator[None]:
    """A transaction that holds the write lock from the start; rolled back on any error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # what is raised matters more
                connection.execute("ROLLBACK")
        raise


def restart_log(connection: sqlite3.Connection) -> None:
    """Write the log into the database, as far as that goes; its space is then used again."""
    with suppress(sqlite3.Error):  # whoever needs the space finds out
        connection.execute("PRAGMA wal_checkpoint(RESTART)")


def migrate(connection: sqlite3.Connection) -> bool:
    """Bring the schema up to date within a transaction; True when the database was new."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise NewerDatabase(version)
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
    return version == 0


def move_aside(path: Path) -> Path:
    """Rename a broken database; nothing is deleted. The log goes first, lest it be replayed."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    target = path.with_name(f"{path.stem}-damaged-{stamp}-{os.getpid()}{path.suffix}")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{target}{suffix}")
    return target


def pins_in_damaged(path: Path) -> set[str]:
    """Ids pinned in databases that were moved aside, as far as they can still be read."""
    pins: set[str] = set()
    for damaged_path in path.parent.glob(f"{path.stem}-damaged-*{path.suffix}"):
        with suppress(sqlite3.Error, UnicodeDecodeError):
            old = sqlite3.connect(damaged_path.as_uri() + "?mode=ro", uri=True)
            try:
                for (entry_id,) in old.execute("SELECT id FROM entries WHERE pinned"):
                    pins.add(str(entry_id))
            finally:
                old.close()
    return pins


def damaged(verdict: str) -> sqlite3.DatabaseError:
    exc = sqlite3.DatabaseError(verdict)
    exc.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return exc


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait by itself when two processes switch at once."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
            return
        except sqlite3.OperationalError as exc:
            if not is_busy(exc) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
