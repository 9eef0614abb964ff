"""What a UNet's config.json says, checked against what `nets.unet` can build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

DOWN_BLOCKS = {"DownBlock2D": False, "CrossAttnDownBlock2D": True}
ADDITIONS = (None, "text", "text_time")
UP_BLOCKS = {"UpBlock2D": False, "CrossAttnUpBlock2D": True}

# Fields of diffusers' config that change the network, and the values this one stands for.
FIXED: dict[str, tuple[Any, ...]] = {
    "_class_name": ("UNet2DConditionModel",),
    "act_fn": ("silu", "swish"),
    "attention_type": ("default",),
    "center_input_sample": (False,),
    "class_embed_type": (None,),
    "conv_in_kernel": (3,),
    "conv_out_kernel": (3,),
    "cross_attention_norm": (None,),
    "dual_cross_attention": (False,),
    "encoder_hid_dim": (None,),
    "encoder_hid_dim_type": (None,),
    "mid_block_scale_factor": (1, 1.0),
    "mid_block_type": ("UNetMidBlock2DCrossAttn",),
    "num_class_embeds": (None,),
    "resnet_out_scale_factor": (1, 1.0),
    "resnet_skip_time_act": (False,),
    "resnet_time_scale_shift": ("default",),
    "reverse_transformer_layers_per_block": (None,),
    "time_cond_proj_dim": (None,),
    "time_embedding_act_fn": (None,),
    "time_embedding_dim": (None,),
    "time_embedding_type": ("positional",),
    "timestep_post_act": (None,),
}


class Unbuildable(Exception):
    """The config asks for a network this package does not have; the text says what."""


@dataclass(frozen=True)
class UNetShape:
    """Widths, depths and heads, one for each stage from the outermost inwards.

    `time_id_width`: of each of SDXL's time ids once embedded, 0 for a UNet without; `added_width`:
    of them and the pooled prompt, side by side.
    """

    in_channels: int
    out_channels: int
    widths: tuple[int, ...]
    down_attention: tuple[bool, ...]
    up_attention: tuple[bool, ...]
    layers: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    cross_only: tuple[bool, ...]
    context: int
    groups: int
    eps: float
    linear: bool
    downsample_padding: int
    pooling_heads: int
    time_id_width: int
    added_width: int
    flip: bool
    freq_shift: float

    @staticmethod
    def of(config: Mapping[str, Any]) -> UNetShape:
        """Raises `Unbuildable`."""
        for name, known in FIXED.items():
            value = config.get(name, known[0])
            if value not in known:
                raise Unbuildable(f"its UNet has {name} = {value}")
        if config.get("addition_embed_type") not in ADDITIONS:
            raise Unbuildable(f"its UNet has addition_embed_type = {config['addition_embed_type']}")
        widths = tuple(config["block_out_channels"])
        heads = config.get("num_attention_heads") or config.get("attention_head_dim", 8)
        return UNetShape(
            in_channels=config.get("in_channels", 4),
            out_channels=config.get("out_channels", 4),
            widths=widths,
            down_attention=_attentions(config["down_block_types"], DOWN_BLOCKS),
            up_attention=_attentions(config["up_block_types"], UP_BLOCKS),
            layers=_each(config.get("layers_per_block", 2), len(widths)),
            depths=_each(config.get("transformer_layers_per_block", 1), len(widths)),
            heads=_each(heads, len(widths)),
            cross_only=_each(config.get("only_cross_attention") or False, len(widths)),
            context=config.get("cross_attention_dim", 1280),
            groups=config.get("norm_num_groups", 32),
            eps=config.get("norm_eps", 1e-5),
            linear=config.get("use_linear_projection", False),
            downsample_padding=config.get("downsample_padding", 1),
            pooling_heads=_pooling_heads(config),
            time_id_width=_of_time_ids(config, "addition_time_embed_dim"),
            added_width=_of_time_ids(config, "projection_class_embeddings_input_dim"),
            flip=config.get("flip_sin_to_cos", True),
            freq_shift=config.get("freq_shift", 0),
        )


def _pooling_heads(config: Mapping[str, Any]) -> int:
    if config.get("addition_embed_type") != "text":
        return 0
    return config.get("addition_embed_type_num_heads", 64)


def _of_time_ids(config: Mapping[str, Any], name: str) -> int:
    return config[name] if config.get("addition_embed_type") == "text_time" else 0


def _attentions(names: list[str], known: Mapping[str, bool]) -> tuple[bool, ...]:
    for name in names:
        if name not in known:
            raise Unbuildable(f"its UNet has blocks of kind {name}")
    return tuple(known[name] for name in names)


def _each(value: Any, count: int) -> tuple[Any, ...]:
    return tuple(cast(list[Any], value)) if isinstance(value, list) else (value,) * count
