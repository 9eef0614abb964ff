"""Freed memory stays while there is work, and goes back when there is none."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")

PROGRAM = """
import ctypes, resource, sys
from sidecar.engine import allocator
import psutil

def faults_of_a_block():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    libc.free.argtypes = [ctypes.c_void_p]
    libc.malloc.restype = ctypes.c_void_p
    address = libc.malloc(SIZE)
    ctypes.memset(address, 1, SIZE)
    libc.free(address)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

SIZE = 128 << 20
libc = ctypes.CDLL(None)
allocator.keep_freed_blocks()
first, again = faults_of_a_block(), faults_of_a_block()
held = psutil.Process().memory_info().rss
allocator.give_back()
print(first, again, held, psutil.Process().memory_info().rss)
"""


def test_a_freed_block_is_used_again_without_faults_and_given_back_when_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    first, again, held, after = map(int, done.stdout.split())
    assert first > 50
    assert again < first / 4
    assert held - after > 100 << 20
