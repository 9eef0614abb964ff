"""Point 4: whatever dependencies print, and however, the wire carries nothing but messages."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rpc.child import Child, Start, starter
from tests.torture.counts import LONG, ONLY_LONG, count

NOISY = Path(__file__).parent / "noisy"
EARLY = "early-printf"
AT_IMPORT = {
    f"import-{kind}"
    for kind in ("printf", "write", "print", "old-stdout", "warning", "log", "bar", "program")
}
FROM_A_THREAD = {"thread-printf", "thread-print"}

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="libc by ctypes"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    yield from starter(tmp_path, ("--threads", "1"))


def noisy_environment() -> dict[str, str]:
    """Without what would make C write its buffer before anybody can claim the wire."""
    kept = {name: v for name, v in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONPATH": str(NOISY)}


def kinds_by_process(child: Child) -> dict[int, set[str]]:
    """Which kinds of noise arrived in the log, and from whom."""
    kinds: dict[int, set[str]] = {}
    for kind, pid in re.findall(r"NOISE ([a-z-]+) (\d+)", child.log()):
        kinds.setdefault(int(pid), set()).add(kind)
    return kinds


def work_through_the_noise(child: Child, pictures: int) -> None:
    """Look-ups, pictures and frames; then both processes were noisy in every way, and the wire
    is pure to its last byte."""
    child.call("initialize", client={"name": "noise"})
    child.call("load_model", model="starter")
    for seed in range(pictures):
        child.call("generate", prompt="red apple [print]", seed=seed, steps=4, delivery="both")
        child.call("history_list")
    processes = child.process.pid, child.engine().pid
    assert child.stop() == 0
    found = kinds_by_process(child)
    for pid in processes:
        assert found[pid] >= AT_IMPORT | FROM_A_THREAD | {EARLY}, pid
    assert b"NOISE" not in child.raw
    assert b"native chatter" not in child.raw
    check_wire(child)


def check_wire(child: Child) -> None:
    if not child.headers:
        for line in child.raw.splitlines():
            assert json.loads(line)["jsonrpc"] == "2.0"
    assert len(child.out) > 10
    assert all(message["jsonrpc"] == "2.0" for message in child.out)


@pytest.mark.parametrize("headers", [False, True], ids=["lines", "headers"])
def test_noisy_dependencies_never_reach_the_wire(start: Start, headers: bool) -> None:
    child = start("--engine", "fake", headers=headers, env=noisy_environment())
    work_through_the_noise(child, count(5, 500))


@pytest.mark.engine
@pytest.mark.skipif(not LONG, reason=ONLY_LONG)
def test_nor_do_they_while_torch_is_imported_and_the_starter_draws(start: Start) -> None:
    work_through_the_noise(start(env=noisy_environment()), 30)
