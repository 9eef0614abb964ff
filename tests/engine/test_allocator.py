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
with allocator.huge_blocks_apart():
    faults_of_a_block()
    print(psutil.Process().memory_info().rss)
faults_of_a_block()
print(psutil.Process().memory_info().rss)
allocator.return_freed_blocks()
with allocator.huge_blocks_apart():
    pass
allocator.give_back()
faults_of_a_block()
print(psutil.Process().memory_info().rss)
"""
BLOCK = 128 << 20


@pytest.fixture(scope="module")
def figures() -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=True
    )
    return [int(word) for word in done.stdout.split()]


def test_a_freed_block_is_used_again_without_faults_and_given_back_when_asked(
    figures: list[int],
) -> None:
    first, again, held, after = figures[:4]
    assert first > 50
    assert again < first / 4
    assert held - after > 0.8 * BLOCK


def test_huge_blocks_go_back_at_once_where_they_are_kept_apart_and_only_there(
    figures: list[int],
) -> None:
    before, apart, kept, returned = figures[3:]
    assert apart - before < 0.2 * BLOCK
    assert kept - before > 0.8 * BLOCK
    assert returned - before < 0.2 * BLOCK
