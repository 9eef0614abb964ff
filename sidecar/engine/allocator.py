"""How the C library's allocator treats large blocks that are freed.

glibc maps a block of over 32 MB anew each time and gives it back at once, and the kernel clears
and faults in every page of it, again and again: up to a third of a step of SD 1.5 on a CPU. So
freed memory is kept while there is work, and given back when there is none. Elsewhere than on Linux
with glibc this does nothing.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Generator
from contextlib import contextmanager

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # malloc.h
NEVER = 2**31 - 1
LARGE_BLOCK, MOST_BLOCKS = 1024 * 1024, 65536
"""Where memory is short: blocks that are mapped by themselves, and how many (glibc's default)."""
HUGE_BLOCK = 32 * 1024 * 1024
"""The most that glibc takes for the former."""

_keeping = False


def keep_freed_blocks() -> None:
    """From now on freed memory stays with the process until `give_back`."""
    global _keeping
    _keeping = True
    tune = _glibc("mallopt")
    if tune is not None:
        tune(M_MMAP_MAX, 0)
        tune(M_TRIM_THRESHOLD, NEVER)


@contextmanager
def huge_blocks_apart() -> Generator[None]:
    """Within, a block of over 32 MB is mapped by itself even where freed memory is kept.

    For work that is done once and takes the most, such as decoding: among blocks that are kept its
    own leave gaps, by chance up to a third of the peak, which then cannot be foretold.
    """
    tune = _glibc("mallopt") if _keeping else None
    if tune is None:
        yield
        return
    tune(M_MMAP_THRESHOLD, HUGE_BLOCK)
    tune(M_MMAP_MAX, MOST_BLOCKS)
    try:
        yield
    finally:
        tune(M_MMAP_MAX, 0)


def return_freed_blocks() -> None:
    """From now on freed memory goes back at once; for when there is little of it.

    Besides, blocks of their own leave no gaps: SD 1.5 at 512² takes 1 GB less at its peak.
    """
    global _keeping
    _keeping = False
    tune = _glibc("mallopt")
    if tune is not None:
        tune(M_MMAP_MAX, MOST_BLOCKS)
        tune(M_MMAP_THRESHOLD, LARGE_BLOCK)
        tune(M_TRIM_THRESHOLD, LARGE_BLOCK)


def give_back() -> None:
    """Return every free page to the system."""
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> ctypes._NamedFuncPointer | None:  # pyright: ignore[reportPrivateUsage]
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
