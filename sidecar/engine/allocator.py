"""How the C library's allocator treats large blocks that are freed.

glibc maps a block of over 32 MB anew each time and gives it back at once, and the kernel clears
and faults in every page of it, again and again: up to a third of a step of SD 1.5 on a CPU. So
freed memory is kept while there is work, and given back when there is none. Elsewhere than on Linux
with glibc this does nothing.
"""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h
NEVER = 2**31 - 1


def keep_freed_blocks() -> None:
    """From now on freed memory stays with the process until `give_back`."""
    tune = _glibc("mallopt")
    if tune is not None:
        tune(M_MMAP_MAX, 0)
        tune(M_TRIM_THRESHOLD, NEVER)


def give_back() -> None:
    """Return every free page to the system."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> ctypes._NamedFuncPointer | None:  # pyright: ignore[reportPrivateUsage]
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
