"""Which family of models a LoRA file was made for.

Shapes decide: the width of what cross-attention reads, the width of a text encoder, blocks that
only one family has. What the metadata and the file's name say is checked against them, and
decides only where shapes leave several families open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

from sidecar.lora_format.keys import TEXT, TEXT_2, UNET, locate, split_key
from sidecar.lora_format.titles import TITLES

EVERY = frozenset(TITLES)

TEXT_WIDTHS = {768: "sd15", 1024: "sd21", 2048: "sdxl"}
# No published Stable Diffusion has a text encoder this narrow.
STARTER_TEXT_WIDTH_BELOW = 512

# CLIP ViT-L is the text encoder of SD 1.x and the first one of SDXL.
_ENCODERS = {768: {"sd15", "sdxl"}, 1024: {"sd21"}, 1280: {"sdxl"}}
_STABLE_WIDTHS = {320, 640, 1280}

# `modelspec.architecture` (Stability AI), `ss_base_model_version` (kohya), and our own trainer's.
_CLAIM_KEYS = ("modelspec.architecture", "ss_base_model_version", "sidecar.family", "family")
_CLAIMS = (
    ("starter", "starter"),
    ("sdxl", "sdxl"),
    ("stable-diffusion-xl", "sdxl"),
    ("sd_v2", "sd21"),
    ("sd_2", "sd21"),
    ("sd2", "sd21"),
    ("stable-diffusion-v2", "sd21"),
    ("sd_v1", "sd15"),
    ("sd_1", "sd15"),
    ("sd1", "sd15"),
    ("stable-diffusion-v1", "sd15"),
)
_NAME = re.compile(
    r"(?:^|[_\-. ])(sd[_\-. ]?xl|sd[_\-. ]?v?1[._]?[45]|sd[_\-. ]?v?2[._]?[01])$", re.I
)

Shape = tuple[int, ...]
Parts = Mapping[str, Shape]


@dataclass(frozen=True)
class Verdict:
    """`possible`: families whose shapes are like the file's. `family`: the one, where it is known.

    `claimed`: what the file's metadata says, else the end of its name. `doubts`: (where, family)
    of each claim that the shapes contradict; where is "metadata" or "name".
    """

    possible: frozenset[str]
    family: str | None
    claimed: str | None
    doubts: tuple[tuple[str, str], ...] = ()


def judge(shapes: Mapping[str, Shape], metadata: Mapping[str, str], file_name: str = "") -> Verdict:
    """What a file was made for. `shapes`: by tensor name; `file_name`: without its suffix."""
    possible = possible_families(layers_of(shapes))
    claims = [("metadata", claimed_in_metadata(metadata)), ("name", claimed_in_name(file_name))]
    said = [(where, family) for where, family in claims if family is not None]
    family = next(iter(possible)) if len(possible) == 1 else None
    if family is None:
        family = next((claim for _, claim in said if claim in possible), None)
    return Verdict(
        possible=possible,
        family=family,
        claimed=said[0][1] if said else None,
        doubts=tuple((where, claim) for where, claim in said if claim not in possible),
    )


def claimed_in_metadata(metadata: Mapping[str, str]) -> str | None:
    """The family of the base model that the trainer noted."""
    for key in _CLAIM_KEYS:
        claimed = str(metadata.get(key, "")).lower()
        for prefix, family in _CLAIMS:
            if claimed.startswith(prefix):
                return family
    return None


def claimed_in_name(file_name: str) -> str | None:
    """The family at the end of a file's name: "ink_sdxl", "Ink-SD1.5", "ink_sd21"."""
    found = _NAME.search(file_name)
    if found is None:
        return None
    mark = found.group(1).lower()
    return "sdxl" if mark.endswith("xl") else "sd21" if "2" in mark else "sd15"


def layers_of(shapes: Mapping[str, Shape]) -> dict[str, dict[str, Shape]]:
    """Shapes by layer and part."""
    layers: dict[str, dict[str, Shape]] = {}
    for key, shape in shapes.items():
        layer, part = split_key(key)
        layers.setdefault(layer, {})[part] = tuple(shape)
    return layers


def possible_families(layers: Mapping[str, Parts]) -> frozenset[str]:
    """Families with such layers. All of them when nothing tells; none for another kind of model.

    Cross-attention has the last word where other signs contradict it.
    """
    located = [(name, *locate(name), parts) for name, parts in layers.items()]
    unet = [(flat, parts) for _, network, flat, parts in located if network == UNET]
    by_cross = _by_cross_attention(unet)
    possible = by_cross & _by_blocks(unet)
    for name, network, flat, parts in located:
        if network != UNET:
            possible &= _by_text_encoder(name, network, flat, parts)
    return possible or by_cross


def family_of_text_width(width: int) -> str | None:
    """The family whose cross-attention reads embeddings of `width` channels, where that tells."""
    if 0 < width < STARTER_TEXT_WIDTH_BELOW:
        return "starter"
    return TEXT_WIDTHS.get(width)


def _by_cross_attention(unet: Iterable[tuple[str, Parts]]) -> frozenset[str]:
    sizes = [size_of(p) for flat, p in unet if flat.endswith(("attn2_to_k", "attn2_to_v"))]
    widths = [size[1] for size in sizes if size is not None]
    if not widths:
        return EVERY
    # Some UNets read the prompt's width in their outer blocks only, so the widest counts.
    family = family_of_text_width(max(widths))
    return frozenset() if family is None else frozenset({family})


def _by_blocks(unet: Iterable[tuple[str, Parts]]) -> frozenset[str]:
    """By blocks that only some families have, and by the width and kind of projections."""
    possible = EVERY
    for flat, parts in unet:
        if _DEEP.search(flat):
            possible &= {"sdxl"}
        elif _FOUR_SIZES.search(flat):
            possible -= {"sdxl"}
        if flat.endswith("_attn1_to_q"):
            size = size_of(parts)
            if size is not None:
                possible &= _by_width(size[0])
        if flat.endswith(("_proj_in", "_proj_out")) and "down" in parts:
            linear = len(parts["down"]) == 2
            possible -= {"sd15"} if linear else {"sd21", "sdxl"}
    return possible


# A transformer of several blocks; a fourth size, or attention at the outermost one.
_DEEP = re.compile(r"_transformer_blocks_[1-9]")
_FOUR_SIZES = re.compile(
    r"^(down_blocks_3_|up_blocks_3_|down_blocks_0_attentions|input_blocks_(9|10|11)_"
    r"|output_blocks_(9|10|11)_|input_blocks_[12]_1_)"
)


def _by_width(width: int) -> frozenset[str]:
    return EVERY - {"starter"} if width in _STABLE_WIDTHS else frozenset({"starter"})


def _by_text_encoder(name: str, network: str, flat: str, parts: Parts) -> frozenset[str]:
    if network == TEXT_2 or (network == TEXT and name.startswith("lora_te1_")):
        return frozenset({"sdxl"})
    if not flat.endswith(("_proj", "_fc1")):
        return EVERY
    size = size_of(parts)
    if size is None:
        return EVERY
    if size[1] < STARTER_TEXT_WIDTH_BELOW:
        return frozenset({"starter"})
    families = frozenset(_ENCODERS.get(size[1], ()))
    return families - {"sdxl"} if name.startswith("lora_te_") else families


def size_of(parts: Parts) -> tuple[int, int] | None:
    """(outputs, inputs) of the layer that these parts change; a kernel may count as inputs."""
    try:
        if "down" in parts:
            return parts["up"][0], parts["down"][1]
        if "hada_w1_b" in parts:
            rows = parts["hada_w1_a"][1 if "hada_t1" in parts else 0]
            return rows, parts["hada_w1_b"][1]
        if "diff" in parts:
            return parts["diff"][0], parts["diff"][1]
        rows = [_rows(parts, "lokr_w1"), _rows(parts, "lokr_w2")]
        columns = [_columns(parts, "lokr_w1"), _columns(parts, "lokr_w2")]
    except (KeyError, IndexError):
        return None
    return prod(rows), prod(columns)


def _rows(parts: Parts, factor: str) -> int:
    if factor in parts:
        return parts[factor][0]
    tucker = factor == "lokr_w2" and "lokr_t2" in parts
    return parts[f"{factor}_a"][1 if tucker else 0]


def _columns(parts: Parts, factor: str) -> int:
    return parts[factor][1] if factor in parts else parts[f"{factor}_b"][1]


def rank_of(parts: Parts) -> int | None:
    """The rank of the layer's factors; None where it has none (full differences, full LoKr)."""
    for part in ("down", "hada_w1_b", "lokr_w1_b", "lokr_w2_b"):
        shape = parts.get(part)
        if shape:
            return shape[0]
    return None
