"""The tensors of a LoRA file by the block of the model they change."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import prod

from sidecar.catalog.safetensors_header import Header
from sidecar.lora_format.families import rank_of as rank_of_layer
from sidecar.lora_format.keys import locate, split_key

_NUMBERED = re.compile(
    r"^(down_blocks|up_blocks|input_blocks|output_blocks|encoder_layers|layers)_(\d+)(?:_|$)"
)
_MIDDLE = re.compile(r"^(mid_block|middle_block)")


@dataclass
class Block:
    """`name`: such as "unet.down_blocks.1"; `ranks`: those that occur."""

    name: str
    tensors: int = 0
    layers: int = 0
    parameters: int = 0
    bytes: int = 0
    ranks: set[int] = field(default_factory=set[int])


def blocks(header: Header) -> list[Block]:
    """Every tensor of the file in exactly one block, blocks in the order of their names."""
    found: dict[str, Block] = {}
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for key, info in header.tensors.items():
        layer, part = split_key(key)
        shapes.setdefault(layer, {})[part] = info.shape
        block = found.setdefault(block_of(layer), Block(block_of(layer)))
        start, end = header.spans[key]
        block.tensors += 1
        block.parameters += prod(info.shape)
        block.bytes += end - start
    for layer, parts in shapes.items():
        block = found[block_of(layer)]
        block.layers += 1
        rank = rank_of_layer(parts)
        block.ranks |= set() if rank is None else {rank}
    return sorted(found.values(), key=lambda block: _natural(block.name))


def block_of(layer: str) -> str:
    """The block of a layer, however the file spells it."""
    network, flat = locate(layer)
    numbered = _NUMBERED.match(flat)
    if numbered:
        name = numbered.group(1).removeprefix("encoder_")
        return f"{network}.{name}.{numbered.group(2)}"
    middle = _MIDDLE.match(flat)
    if middle:
        return f"{network}.{middle.group(1)}"
    return f"{network}.other"


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]
