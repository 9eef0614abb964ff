"""Where the engine puts large pictures for the front to take, and who clears it up.

Several sidecars may share one data folder. Each has a folder of its own in `unfinished`, and beside
it a file that it keeps locked for as long as it lives: a lock goes with its process, also when that
is killed, so a file that can be locked belongs to nobody, and its folder may go.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

LOCK = ".lock"
TRIES = 5
FORGOTTEN_SECONDS = 24 * 3600.0
"""After which a file goes that lies in no sidecar's folder."""

log = logging.getLogger(__name__)


class Unfinished:
    """`root`: shared by all sidecars with this data folder; need not be there. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: Path | None = None
        self._held: BinaryIO | None = None
        self._lock = threading.Lock()

    def folder(self) -> Path:
        """Our own, there from now on. Raises OSError where nothing can be written."""
        with self._lock:
            if self._own is None:
                self._root.mkdir(parents=True, exist_ok=True)
                self._own = self._chosen()
            self._own.mkdir(exist_ok=True)
            return self._own

    def engine_died(self) -> None:
        """What it left in our folder is of no use: its work begins anew."""
        with self._lock:
            if self._own is not None:
                _empty(self._own)

    def clean(self) -> None:
        """Remove what sidecars that are no more have left."""
        before = time.time() - FORGOTTEN_SECONDS
        for path in _inside(self._root):
            if path.suffix == LOCK:
                self._remove_if_orphaned(path)
            elif path.is_file() and path.stat().st_mtime < before:
                _remove(path)

    def close(self) -> None:
        """Nothing of ours stays."""
        with self._lock:
            own, held = self._own, self._held
            self._own = self._held = None
            if own is not None:
                shutil.rmtree(own, ignore_errors=True)
            if own is not None and held is not None:
                held.close()
                _remove(own.with_suffix(LOCK))

    def _chosen(self) -> Path:
        """A new one, locked; unlocked where the system has no locks: then nobody can clean up."""
        for _ in range(TRIES):
            own = self._root / secrets.token_hex(8)
            if self._taken(own):
                return own
        return self._root / secrets.token_hex(8)

    def _taken(self, own: Path) -> bool:
        """Whether its lock is ours; not when somebody cleans up at this moment."""
        path = own.with_suffix(LOCK)
        held = open(path, "ab")  # noqa: SIM115  (for as long as we live)
        if not _locked(held) or not path.exists():
            held.close()
            return False
        self._held = held
        return True

    def _remove_if_orphaned(self, lock: Path) -> None:
        own = self._own
        if own is not None and lock == own.with_suffix(LOCK):
            return
        try:
            with open(lock, "ab") as file:
                orphaned = _locked(file)
                if orphaned:
                    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                    if os.name == "posix":
                        _remove(lock)
            if orphaned and os.name != "posix":
                _remove(lock)  # which cannot be while it is open
        except OSError as exc:
            log.info("%s stays: %s", lock, exc)


def _locked(file: BinaryIO) -> bool:
    """Lock it until it is closed; False when another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _empty(folder: Path) -> None:
    for path in _inside(folder):
        _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        log.info("%s stays: %s", path, exc)
