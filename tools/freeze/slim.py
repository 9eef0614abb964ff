"""Takes symbols that only debuggers read out of the libraries of a frozen program (Linux)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

LEAST = 20_000
"""Bytes; below it there is nothing to gain."""


def slim(folder: Path) -> None:
    """Not those in *.libs: auditwheel has rewritten their headers, and strip breaks them."""
    strip = shutil.which("strip")
    if strip is None or sys.platform != "linux":
        return
    for library in folder.rglob("*.so*"):
        rewritten = any(parent.name.endswith(".libs") for parent in library.parents)
        if library.is_symlink() or rewritten or library.stat().st_size < LEAST:
            continue
        subprocess.run([strip, "--strip-unneeded", str(library)], check=True)
