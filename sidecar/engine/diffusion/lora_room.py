"""What a stack of LoRAs takes beside the weights: the files, and copies of the touched layers.

Told from headers, before a file is read. A file that cannot be read counts nothing here; reading
it in earnest says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import prod
from pathlib import Path

from safetensors import SafetensorError

from sidecar.engine.contract import LoraSpec
from sidecar.engine.diffusion.weights import Stored, read_header

DOWN_AND_UP = (
    (".lora_A.weight", ".lora_B.weight"),
    (".lora_down.weight", ".lora_up.weight"),
    (".lora.down.weight", ".lora.up.weight"),
    ("_lora.down.weight", "_lora.up.weight"),
    (".hada_w1_b", ".hada_w1_a"),
)
"""Endings of the two factors of a layer: (rank, inputs…) and (outputs, rank…)."""


def stack_bytes(loras: Iterable[LoraSpec], item: int) -> int:
    """`item`: bytes of one number of the weights as they are stored."""
    total = 0
    for lora in loras:
        path = Path(lora.path)
        try:
            stat = path.stat()
            touched = _touched(path, stat.st_mtime_ns, stat.st_size)
        except (OSError, SafetensorError, ValueError):
            continue
        total += touched * item + stat.st_size
    return total


@lru_cache(maxsize=256)
def _touched(path: Path, changed: int, size: int) -> int:
    """How many numbers the layers have that the file changes. The rest of the arguments tell one
    version of a file from another."""
    stored = read_header([path]).stored
    return sum(_numbers(stored, name) for name in stored)


def _numbers(stored: dict[str, Stored], name: str) -> int:
    """Of the layer whose reading factor has that name; 0 for any other tensor."""
    for down, up in DOWN_AND_UP:
        if name.endswith(down) and (other := stored.get(name.removesuffix(down) + up)):
            return prod(stored[name].shape[1:]) * other.shape[0]
    return 0
