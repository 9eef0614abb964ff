"""Main memory: what this process has, what it could still get, and how much it had at most.

What it could get is limited by what the system has left, by a container's limit (cgroups v1 and
v2), and by a limit on the address space; the smallest counts.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

UNLIMITED = 1 << 60
SAMPLE_SECONDS = 0.02
STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
CGROUPS, CGROUP_ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


class Peak:
    """`bytes`: the largest resident size of a span of time, once that is over."""

    def __init__(self) -> None:
        self.bytes = 0


class MainMemory:
    """Looks at the memory of this process. One a process: starting a span forgets older peaks."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._highest = 0

    def resident(self) -> int:
        return self._process.memory_info().rss

    def total(self) -> int:
        return psutil.virtual_memory().total

    def free(self) -> int:
        """How many more bytes this process could take without swapping or being stopped."""
        left = [psutil.virtual_memory().available, *cgroup_room(), self._address_space_room()]
        return max(min(left), 0)

    def highest(self) -> int:
        """The largest resident size this process ever had, as far as the system tells."""
        self._highest = max(self._highest, _high_water() or 0, self.resident())
        return self._highest

    @contextmanager
    def span(self) -> Generator[Peak]:
        """How large the process grows within a block. Exact where the kernel keeps count (Linux),
        elsewhere by looking every 20 ms."""
        peak = Peak()
        self.highest()
        if _reset_high_water():
            try:
                yield peak
            finally:
                peak.bytes = _high_water() or self.resident()
                self._highest = max(self._highest, peak.bytes)
            return
        over = threading.Event()
        watcher = threading.Thread(target=self._sample, args=(peak, over), daemon=True)
        watcher.start()
        try:
            yield peak
        finally:
            over.set()
            watcher.join()

    def _sample(self, peak: Peak, over: threading.Event) -> None:
        while True:
            peak.bytes = max(peak.bytes, self.resident())
            if over.wait(SAMPLE_SECONDS):
                self._highest = max(self._highest, peak.bytes)
                return

    def _address_space_room(self) -> int:
        if sys.platform == "win32":
            return UNLIMITED
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit == resource.RLIM_INFINITY:
            return UNLIMITED
        return limit - self._process.memory_info().vms


def cgroup_room(listing: Path = CGROUPS, root: Path = CGROUP_ROOT) -> Iterator[int]:
    """What each limit of a container around this process leaves; nothing where there is none."""
    for line in _text(listing).splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            names = ("memory.max", "memory.current", "inactive_file")
            yield from _rooms_up(root, path, names)
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _rooms_up(root / "memory", path, names)


def _rooms_up(root: Path, path: str, names: tuple[str, str, str]) -> Iterator[int]:
    """Of the group and of all it lies in. Pages of files count as used, but make room."""
    folder = root / path.strip("/")
    while True:
        limit, used = (_number(_text(folder / name)) for name in names[:2])
        if limit is not None and used is not None and limit < UNLIMITED:
            yield limit - used + _stat(_text(folder / "memory.stat"), names[2])
        if folder == root or root not in folder.parents:
            return
        folder = folder.parent


def _stat(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return _number(value) or 0
    return 0


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _high_water() -> int | None:
    for line in _text(STATUS).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


def _reset_high_water() -> bool:
    """Linux: 5 written to clear_refs sets the high-water mark back to what is resident now."""
    try:
        CLEAR_REFS.write_text("5")
    except OSError:
        return False
    return _high_water() is not None
