"""Connections to the fixture programs in `programs/`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.client import Sidecar
from sidecar.client.process import ChildProcess

PROGRAMS = Path(__file__).parent / "programs"

Start = Callable[[str], Sidecar]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a fixture program; all are stopped at the end of the test."""
    started: list[Sidecar] = []

    def start(program: str) -> Sidecar:
        command = [sys.executable, str(PROGRAMS / f"{program}.py")]
        started.append(Sidecar(ChildProcess(command, None, None), timeout=60))
        return started[-1]

    yield start
    for sidecar in started:
        sidecar.stop(grace=0.2)
