from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.catalog.catalog_samples import write_lora
from tests.rpc.child import Child, Start, starter
from tests.rpc.in_memory import InMemory


@pytest.fixture
def wire(tmp_path: Path) -> InMemory:
    """A fresh session in memory with two LoRA files."""
    loras = tmp_path / "given-loras"
    loras.mkdir()
    for name in ("chalk", "neon"):
        write_lora(loras, name, metadata={"name": name})
    return InMemory(tmp_path / "data", loras)


@pytest.fixture
def loaded(wire: InMemory) -> InMemory:
    """The same, with the starter loaded."""
    wire.call("load_model", model="starter")
    return wire


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts real sidecars with the fake engine."""
    yield from starter(tmp_path, ("--engine", "fake"))


@pytest.fixture
def child(start: Start) -> Child:
    """A real sidecar with the fake engine, the starter loaded."""
    child = start()
    child.call("load_model", model="starter")
    return child
