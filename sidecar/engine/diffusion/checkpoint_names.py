"""Where the tensors of original VAEs and text encoders go in the networks of `nets`.

A name maps to the slots its tensor fills: one as a rule, three where OpenCLIP keeps the weights of
queries, keys and values in one tensor, none where it is of no use for drawing. None means that
the network has no such layer. What the names of the UNet mean is in `ldm_names`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Slot(NamedTuple):
    """A parameter, and what part of a tensor it takes.

    `third`: 0, 1 or 2 of three equal parts along the first dimension; None for the whole.
    `transposed`: the tensor is laid out for multiplication from the other side.
    """

    name: str
    third: int | None = None
    transposed: bool = False


Slots = Callable[[str], tuple[Slot, ...] | None]

UNUSED = ("position_ids", "logit_scale")

_RESBLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")
_OPEN_CLIP = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
_OPEN_CLIP_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}

_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_VAE_PATTERNS = (
    (re.compile(r"^encoder\.down\.(\d+)\.block\.(\d+)\."), r"encoder.down_blocks.\1.resnets.\2."),
    (re.compile(r"^encoder\.down\.(\d+)\.downsample\."), r"encoder.down_blocks.\1.downsamplers.0."),
    (re.compile(r"^decoder\.up\.(\d+)\.block\.(\d+)\."), r"decoder.up_blocks.\1.resnets.\2."),
    (re.compile(r"^decoder\.up\.(\d+)\.upsample\."), r"decoder.up_blocks.\1.upsamplers.0."),
    (re.compile(r"\.mid\.block_1\."), ".mid_block.resnets.0."),
    (re.compile(r"\.mid\.block_2\."), ".mid_block.resnets.1."),
    (re.compile(r"\.mid\.attn_1\.norm\."), ".mid_block.attentions.0.group_norm."),
    (re.compile(r"\.mid\.attn_1\.proj_out\."), ".mid_block.attentions.0.to_out.0."),
    (re.compile(r"\.mid\.attn_1\.([qkv])\."), r".mid_block.attentions.0.to_\1."),
    (re.compile(r"\.nin_shortcut\."), ".conv_shortcut."),
    (re.compile(r"^((?:en|de)coder)\.norm_out\."), r"\1.conv_norm_out."),
)
_UP_BLOCK = re.compile(r"^decoder\.up\.(\d+)\.")


def clip_slots(name: str) -> tuple[Slot, ...] | None:
    """transformers' names, with or without "text_model." before them."""
    return () if name.endswith(UNUSED) else (Slot(name.removeprefix("text_model.")),)


def open_clip_slots(name: str) -> tuple[Slot, ...] | None:
    """The names of OpenCLIP's text encoder."""
    if name in _OPEN_CLIP:
        return (Slot(_OPEN_CLIP[name]),)
    if name == "text_projection":
        return (Slot("text_projection.weight", transposed=True),)
    found = _RESBLOCK.fullmatch(name)
    if found is None:
        return () if name.endswith(UNUSED) else None
    layer, inner = f"encoder.layers.{found[1]}", found[2]
    if inner in ("attn.in_proj_weight", "attn.in_proj_bias"):
        kind = inner.removeprefix("attn.in_proj_")
        return tuple(Slot(f"{layer}.self_attn.{q}_proj.{kind}", i) for i, q in enumerate("qkv"))
    stem, _, kind = inner.rpartition(".")
    return (Slot(f"{layer}.{_OPEN_CLIP_LAYER[stem]}.{kind}"),) if stem in _OPEN_CLIP_LAYER else None


def vae_slots(sizes: int) -> Slots:
    """The original names as well as diffusers', old and new. `sizes`: how many the VAE works at.

    The original counts the blocks of the decoder from the outermost size, diffusers from the
    innermost.
    """

    def slots(name: str) -> tuple[Slot, ...] | None:
        name = _UP_BLOCK.sub(lambda found: f"decoder.up.{sizes - 1 - int(found[1])}.", name)
        for pattern, ours in _VAE_PATTERNS:
            name = pattern.sub(ours, name)
        stem, _, last = name.rpartition(".")
        place, _, old = stem.rpartition(".")
        return (Slot(f"{place}.{_OLD_ATTENTION[old]}.{last}" if old in _OLD_ATTENTION else name),)

    return slots
