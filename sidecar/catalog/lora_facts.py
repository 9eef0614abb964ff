"""What a LoRA file says about itself: family and rank from its shapes, texts from its metadata."""

from __future__ import annotations

from sidecar.catalog.safetensors_header import Header
from sidecar.lora_format.families import Verdict, judge, layers_of
from sidecar.lora_format.families import rank_of as rank_of_layer
from sidecar.lora_format.keys import split_key


def verdict_of(header: Header, name: str) -> Verdict:
    """What the file was made for. `name`: of the file, without its suffix."""
    shapes = {key: info.shape for key, info in header.tensors.items()}
    return judge(shapes, header.metadata, name)


def rank_of(header: Header) -> int | None:
    """The largest rank among the layers, else what the metadata claims."""
    layers = layers_of({key: info.shape for key, info in header.tensors.items()})
    ranks = [rank for parts in layers.values() if (rank := rank_of_layer(parts)) is not None]
    if ranks:
        return max(ranks)
    claimed = header.metadata.get("ss_network_dim", "")
    return int(claimed) if claimed.isdecimal() and len(claimed) < 6 else None


def is_lora(header: Header) -> bool:
    """Whether any tensor looks like part of an adapter rather than of a whole model."""
    return any(split_key(key)[1] not in ("other", "alpha") for key in header.tensors)
