"""UNet layers under their original names (CompVis, Stability) and as diffusers calls them.

Single-file checkpoints ("input_blocks.4.1.proj_in.weight") and kohya's SDXL LoRAs
("input_blocks_4_1_proj_in") count the blocks of the UNet through in one list; diffusers sorts
them by size ("down_blocks.1.attentions.0.proj_in.weight"). Which is which follows from the
number of sizes, of layers at each, and of sizes that have transformers. Inside a transformer
both use the same names. Pure string work, no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}

OUTER = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}


class UNetNames:
    """Both spellings of every layer of the UNet that a diffusers config describes.

    `config`: `block_out_channels`, `layers_per_block`, `down_block_types`, `up_block_types`, as in
    unet/config.json (unet_config.UNetShape says which values are known).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        pairs = dict(_modules(config))
        self._ours = pairs
        self._theirs = {new: old for old, new in pairs.items()}
        self._flat = {old.replace(".", "_"): new.replace(".", "_") for old, new in pairs.items()}

    def to_diffusers(self, name: str) -> str | None:
        """The diffusers name of a layer or a weight; None where the UNet has no such block.

        "middle_block.1.proj_in.weight" → "mid_block.attentions.0.proj_in.weight". What stands
        behind the block is taken as it is: whether the layer exists is not looked at.
        """
        return _translated(name, ".", self._ours)

    def to_original(self, name: str) -> str | None:
        """The other way: "mid_block.attentions.0.proj_in" → "middle_block.1.proj_in"."""
        return _translated(name, ".", self._theirs)

    def to_diffusers_flat(self, name: str) -> str | None:
        """The same for names with underscores, as kohya's LoRA files have them.

        "middle_block_1_proj_in" → "mid_block_attentions_0_proj_in".
        """
        return _translated(name, "_", self._flat)


def _translated(name: str, mark: str, pairs: Mapping[str, str]) -> str | None:
    """`name` with its longest known beginning replaced."""
    end = len(name)
    while end > 0:
        known = pairs.get(name[:end])
        if known is not None:
            return known + name[end:]
        end = name.rfind(mark, 0, end)
    return None


def _modules(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from OUTER.items()
    yield from _resnet("middle_block.0", "mid_block.resnets.0")
    yield "middle_block.1", "mid_block.attentions.0"
    yield from _resnet("middle_block.2", "mid_block.resnets.1")
    yield from _downs(config)
    yield from _ups(config)


def _downs(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kinds, layers = config["down_block_types"], _layers(config)
    block = 1  # the first is conv_in
    for stage, kind in enumerate(kinds):
        for layer in range(layers[stage]):
            ours = f"down_blocks.{stage}"
            yield from _layer(f"input_blocks.{block}", ours, layer, _has_attention(kind))
            block += 1
        if stage < len(kinds) - 1:
            yield f"input_blocks.{block}.0.op", f"down_blocks.{stage}.downsamplers.0.conv"
            block += 1


def _ups(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kinds, layers = config["up_block_types"], _layers(config)[::-1]
    block = 0
    for stage, kind in enumerate(kinds):
        attention = _has_attention(kind)
        for layer in range(layers[stage] + 1):
            yield from _layer(f"output_blocks.{block}", f"up_blocks.{stage}", layer, attention)
            block += 1
        if stage < len(kinds) - 1:
            place = f"output_blocks.{block - 1}.{2 if attention else 1}.conv"
            yield place, f"up_blocks.{stage}.upsamplers.0.conv"


def _layer(theirs: str, ours: str, layer: int, attention: bool) -> Iterator[tuple[str, str]]:
    yield from _resnet(f"{theirs}.0", f"{ours}.resnets.{layer}")
    if attention:
        yield f"{theirs}.1", f"{ours}.attentions.{layer}"


def _resnet(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    for old, new in RESNET.items():
        yield f"{theirs}.{old}", f"{ours}.{new}"


def _has_attention(kind: str) -> bool:
    return kind.startswith("CrossAttn")


def _layers(config: Mapping[str, Any]) -> list[int]:
    stages, layers = len(config["down_block_types"]), config.get("layers_per_block", 2)
    return cast("list[int]", layers) if isinstance(layers, list) else [layers] * stages
