"""Files that are there whole or not at all, also after kill -9 and after a power cut."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"


def write_atomically(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Put `data`, whole or in parts, at `path`: temporary name beside it, fsync, rename, fsync of
    the folder.

    Raises OSError; then neither `path` nor the temporary file is there.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}{TEMPORARY_SUFFIX}")
    try:
        with open(temporary, "xb") as file:
            for part in (data,) if isinstance(data, bytes) else data:
                file.write(part)
            file.flush()
            _sync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        remove_quietly(temporary)
        raise
    sync_folder(path.parent)


def is_temporary(name: str) -> bool:
    """Whether a file name is one that `write_atomically` gives and takes away again."""
    return name.startswith(".") and name.endswith(TEMPORARY_SUFFIX)


def sync_folder(folder: Path) -> None:
    """Make renames and removals in `folder` durable, where the system has a way to."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def remove_quietly(path: Path) -> bool:
    """Remove a file; False when it is still there (on Windows, open in another program)."""
    with contextlib.suppress(FileNotFoundError):
        try:
            path.unlink()
        except OSError:
            return False
    return True


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":  # fsync there stops at the drive's cache
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)
