from __future__ import annotations

from pathlib import Path

import pytest

from tests.rpc.in_memory import InMemory


@pytest.fixture
def wire(tmp_path: Path) -> InMemory:
    """A fresh session in memory with two LoRA files."""
    loras = tmp_path / "given-loras"
    loras.mkdir()
    for name in ("chalk", "neon"):
        (loras / f"{name}.safetensors").write_bytes(f"the file of {name}".encode())
    return InMemory(tmp_path / "data", loras)


@pytest.fixture
def loaded(wire: InMemory) -> InMemory:
    """The same, with the starter loaded."""
    wire.call("load_model", model="starter")
    return wire
