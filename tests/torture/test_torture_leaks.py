"""Point 9: generate, switch, generate, ... on the starter: nothing is more afterwards.

The first cycles, in which the caches fill, do not count; what the front and the engine may have
grown by at the end is 30 MiB each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.rpc.child import Child, Start, starter, until
from tests.torture.counts import LONG, count

MIB = 1024 * 1024
CYCLES = count(12, 1000)
WARM_UP = count(4, 50)
MAY_GROW = 30 * MIB
STACKS: tuple[tuple[str | None, float], ...] = (
    ("ink", 0.7),
    ("night", 0.4),
    (None, 0.0),
    ("sticker", 0.9),
)

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(sys.platform == "win32", reason="counts descriptors"),
    pytest.mark.timeout(3000 if LONG else 600),
]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    yield from starter(tmp_path, ("--threads", "1"))


@dataclass(frozen=True)
class Held:
    """What one process has."""

    rss: int
    descriptors: int
    threads: int


def held(process: psutil.Process) -> Held:
    return Held(process.memory_info().rss, process.num_fds(), process.num_threads())


def no_more(now: Held, then: Held) -> bool:
    """One of each may come and go with a look at the memory."""
    return now.descriptors <= then.descriptors + 1 and now.threads <= then.threads + 1


def temporary_files(temporary: Path, data: Path) -> list[str]:
    """Whatever lies about that is neither picture, database, log nor setting."""
    stray = [str(path) for path in temporary.iterdir()]
    stray += [str(path) for path in data.rglob("*.tmp")]
    return sorted(stray)


def cycle(child: Child, number: int) -> None:
    name, alpha = STACKS[number % len(STACKS)]
    child.call("switch_lora", **({"name": name, "alpha": alpha} if name else {"name": None}))
    child.call("generate", prompt=f"red apple {number}", seed=number, steps=2, delivery="both")
    child.out.clear()
    child.raw.clear()


def test_generating_and_switching_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    child = start(env={**os.environ, "TMPDIR": str(temporary)})
    child.call("load_model", model="starter")
    for number in range(WARM_UP):
        cycle(child, number)
    processes = {"front": psutil.Process(child.process.pid), "engine": child.engine()}
    before = {name: held(process) for name, process in processes.items()}
    stray = temporary_files(temporary, tmp_path / "data")
    for number in range(CYCLES):
        cycle(child, WARM_UP + number)
    for name, process in processes.items():
        until(lambda process=process, name=name: no_more(held(process), before[name]))
        after = held(process)
        print(f"{name}: {before[name]} -> {after}")
        assert after.rss - before[name].rss < MAY_GROW, name
    assert temporary_files(temporary, tmp_path / "data") == stray
    kept = child.call("history_list")["total"]
    assert len(list((tmp_path / "data" / "images").glob("*.png"))) == kept
    assert child.stop() == 0
    assert temporary_files(temporary, tmp_path / "data") == []
