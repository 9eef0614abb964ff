"""Main memory: what is free counts every limit, and a peak is one of the span alone."""

from __future__ import annotations

import mmap
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from sidecar.engine.memory import ram
from sidecar.engine.memory.ram import MainMemory, cgroup_room

MEGABYTE = 1024 * 1024


def group(root: Path, path: str, **files: str) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def listing(tmp_path: Path, line: str) -> Path:
    file = tmp_path / "cgroup"
    file.write_text(f"12:cpu:/elsewhere\n{line}\n")
    return file


def test_a_container_s_limit_counts_and_pages_of_files_make_room(tmp_path: Path) -> None:
    group(
        tmp_path,
        "app/engine",
        memory__max="1000\n",
        memory__current="900\n",
        memory__stat="anon 500\ninactive_file 300\n",
    )
    assert list(cgroup_room(listing(tmp_path, "0::/app/engine"), tmp_path)) == [400]


def test_the_limits_of_outer_groups_count_too(tmp_path: Path) -> None:
    group(tmp_path, "app/engine", memory__max="max\n", memory__current="900\n", memory__stat="")
    group(tmp_path, "app", memory__max="2000\n", memory__current="1500\n", memory__stat="")
    assert list(cgroup_room(listing(tmp_path, "0::/app/engine"), tmp_path)) == [500]


def test_the_older_kind_of_group_is_understood(tmp_path: Path) -> None:
    group(
        tmp_path,
        "memory/app",
        memory__limit_in_bytes="800",
        memory__usage_in_bytes="700",
        memory__stat="total_inactive_file 50\n",
    )
    found = list(cgroup_room(listing(tmp_path, "4:memory:/app"), tmp_path))
    assert found == [150]


def test_no_limit_and_no_groups_limit_nothing(tmp_path: Path) -> None:
    group(tmp_path, "memory/app", memory__limit_in_bytes=str(2**63 - 4096))
    assert list(cgroup_room(listing(tmp_path, "4:memory:/app"), tmp_path)) == []
    assert list(cgroup_room(tmp_path / "missing", tmp_path)) == []


def test_a_limit_on_the_address_space_counts() -> None:
    program = (
        "import resource, psutil\n"
        "from sidecar.engine.memory.ram import MainMemory\n"
        "limit = psutil.Process().memory_info().vms + 64 * 2**20\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "print(MainMemory().free())\n"
    )
    if sys.platform == "win32":
        pytest.skip("Windows has no limit on the address space")
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert 0 < int(out.stdout) <= 64 * MEGABYTE


def fresh(size: int) -> mmap.mmap:
    """Resident memory that nobody had before: an allocator may have some to give out again."""
    block = mmap.mmap(-1, size)
    for _ in range(size // MEGABYTE):
        block.write(b"x" * MEGABYTE)
    return block


def grown(memory: MainMemory) -> int:
    """The peak of a span in which 64 MB were there for a moment, above what was there before."""
    before = memory.resident()
    with memory.span() as peak:
        fresh(64 * MEGABYTE).close()
    return peak.bytes - before


def test_a_span_sees_what_is_gone_at_its_end() -> None:
    memory = MainMemory()
    assert 60 * MEGABYTE < grown(memory) < 80 * MEGABYTE
    with memory.span() as after:
        pass
    assert after.bytes < memory.highest()


def test_where_the_kernel_keeps_no_count_the_span_looks_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ram, "CLEAR_REFS", Path("/nowhere/clear_refs"))
    monkeypatch.setattr(ram, "SAMPLE_SECONDS", 0.001)
    memory, deadline = MainMemory(), monotonic() + 60
    before = memory.resident()
    with memory.span() as peak:
        block = fresh(64 * MEGABYTE)
        while peak.bytes < before + 60 * MEGABYTE:
            assert monotonic() < deadline, peak.bytes - before
        block.close()
    assert peak.bytes < before + 80 * MEGABYTE
