"""What a LoRA file says about itself: family and rank from its shapes, texts from its metadata."""

from __future__ import annotations

from sidecar.catalog.families import family_of_text_width
from sidecar.catalog.safetensors_header import Header

# The factor that reads the input: [rank, in_features] (or [rank, in_channels, k, k]).
_INPUT_FACTORS = (
    "lora_A.weight",
    "lora_A.default.weight",
    "lora_down.weight",
    "lora.down.weight",
    "hada_w1_b",
    "hada_w2_b",
)

# Prefixes of `ss_base_model_version` (kohya) and of `modelspec.architecture` (Stability AI).
_BASES = (
    ("sdxl", "sdxl"),
    ("stable-diffusion-xl", "sdxl"),
    ("sd_v2", "sd21"),
    ("sd_2", "sd21"),
    ("stable-diffusion-v2", "sd21"),
    ("sd_v1", "sd15"),
    ("sd_1", "sd15"),
    ("stable-diffusion-v1", "sd15"),
    ("starter", "starter"),
)


def rank_of(header: Header) -> int | None:
    """The largest rank among the layers, else what the metadata claims."""
    ranks = [
        info.shape[0]
        for name, info in header.tensors.items()
        if name.endswith(_INPUT_FACTORS) and info.shape
    ]
    if ranks:
        return max(ranks)
    claimed = header.metadata.get("ss_network_dim", "")
    return int(claimed) if claimed.isdecimal() and len(claimed) < 6 else None


def family_from_shapes(header: Header) -> str | None:
    """By the width of the text embedding that the cross-attention's keys and values read."""
    for name, info in header.tensors.items():
        is_text_input = "attn2" in name and ("to_k" in name or "to_v" in name)
        if is_text_input and name.endswith(_INPUT_FACTORS) and len(info.shape) >= 2:
            return family_of_text_width(info.shape[1])
    return None


def family_from_metadata(header: Header) -> str | None:
    """By the base model that the trainer noted."""
    for key in ("modelspec.architecture", "ss_base_model_version"):
        claimed = header.metadata.get(key, "").lower()
        for prefix, family in _BASES:
            if claimed.startswith(prefix):
                return family
    return None


def is_lora(header: Header) -> bool:
    """Whether any tensor looks like part of an adapter rather than of a whole model."""
    return any(
        name.endswith((*_INPUT_FACTORS, "lokr_w1", "lokr_w2", "lokr_w2_a", ".diff"))
        for name in header.tensors
    )
