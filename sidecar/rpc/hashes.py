"""SHA-256 of files, each read once as long as it does not change."""

from __future__ import annotations

import hashlib
import os
import threading

Identity = tuple[str, int, int]


def identity(path: str) -> Identity:
    """What changes when a file is replaced: path, size, time. Raises OSError."""
    found = os.stat(path)
    return path, found.st_size, found.st_mtime_ns


class FileHashes:
    """Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[Identity, str] = {}
        self._lock = threading.Lock()

    def known(self, path: str) -> str | None:
        """The hash, if the file was read before; never reads it."""
        try:
            return self._known.get(identity(path))
        except OSError:
            return None

    def note(self, mark: Identity, sha256: str) -> None:
        """The hash of a file that somebody else has read, as it was then."""
        with self._lock:
            self._known[mark] = sha256

    def recall(self, path: str, stamp: tuple[int, int] | None) -> str | None:
        """The hash of a file as it was at a time (nanoseconds) and size, if it was read then."""
        return None if stamp is None else self._known.get((path, stamp[1], stamp[0]))

    def of(self, path: str) -> str | None:
        """The hash; None when the file cannot be read."""
        try:
            key = identity(path)
            if key not in self._known:
                with open(path, "rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                with self._lock:
                    self._known[key] = digest
            return self._known[key]
        except OSError:
            return None
