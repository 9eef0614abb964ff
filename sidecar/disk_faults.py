"""Faults of the disk as one error with a cause that a person can act on."""

from __future__ import annotations

import errno
from pathlib import Path

from sidecar.errors import StorageFault

_CAUSES = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EFBIG: "disk_full",
    errno.EACCES: "not_writable",
    errno.EPERM: "not_writable",
    errno.EROFS: "not_writable",
    errno.EEXIST: "in_the_way",
    errno.ENOTDIR: "in_the_way",
    errno.EISDIR: "in_the_way",
}


def disk_fault(exc: OSError, folder: Path) -> StorageFault:
    """`exc`, which came up while working in `folder`."""
    return StorageFault(
        cause=_CAUSES.get(exc.errno or 0, "system"),
        folder=str(folder),
        path=exc.filename if isinstance(exc.filename, str) else str(folder),
        detail=exc.strerror or str(exc),
    )
