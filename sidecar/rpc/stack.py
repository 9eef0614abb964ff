"""The LoRA stack as it is told on the wire."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.engine.contract import LoraSpec
from sidecar.protocol.lora import StackEntry
from sidecar.rpc.context import Front


def stack_entries(front: Front, loras: Sequence[LoraSpec]) -> list[StackEntry]:
    """Hashes as far as the files have been read."""
    return [
        StackEntry(name=s.name, alpha=s.alpha, sha256=front.hashes.known(s.path)) for s in loras
    ]
