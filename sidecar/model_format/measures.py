"""Configs, as diffusers and transformers write them, from the shapes of the original tensors.

A single-file checkpoint comes without configs. Widths, depths and the like follow from shapes.
What does not is a fact about each family, written down here: how many heads attention has, which
activation the text encoders use, how latents are scaled, and which noise it was trained with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sidecar.model_format.kinds import (
    OPEN_CLIP,
    UNET,
    VAE,
    Kind,
    NotDrawable,
    Shapes,
    TextPart,
    kind_of,
)

Config = dict[str, Any]

TEXT_ENCODERS = ("text_encoder", "text_encoder_2")

HEADS_OF_SD15 = 8
HEAD_WIDTH = 64  # of Stable Diffusion 2 and XL, and of every CLIP
TIME_IDS = 6  # of XL: the picture's height and width, the crop's corner, the target's height, width
SD2_TEXT_LAYERS, SD2_TEXT_LAYERS_USED = 24, 23

SCALING = {"sd15": 0.18215, "sd21": 0.18215, "sdxl": 0.13025}

NOISE: Config = {
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "timestep_spacing": "leading",
}


@dataclass(frozen=True)
class Measures:
    """`configs`: by component, "unet", "text_encoder" and, where there are such, the others."""

    kind: Kind
    configs: dict[str, Config]


def measure(shapes: Shapes) -> Measures:
    """Of a whole checkpoint. Raises `NotDrawable`; ValueError when tensors are missing."""
    kind = kind_of(shapes)
    try:
        configs = {part.component: _text_config(shapes, part, kind.family) for part in kind.text}
        pooled = configs.get("text_encoder_2", {}).get("projection_dim")
        configs["unet"] = unet_config(within(shapes, UNET), pooled)
        if kind.has_vae:
            configs["vae"] = vae_config(within(shapes, VAE), kind.family)
    except KeyError as exc:
        raise ValueError(f"it lacks the tensor {exc.args[0]}") from exc
    _check_widths(configs)
    return Measures(kind, configs)


def within(shapes: Shapes, prefix: str) -> Shapes:
    """The tensors of one part, without its prefix."""
    start = len(prefix)
    return {name[start:]: shape for name, shape in shapes.items() if name.startswith(prefix)}


def _check_widths(configs: Mapping[str, Config]) -> None:
    text = sum(config["hidden_size"] for name, config in configs.items() if name in TEXT_ENCODERS)
    needed = configs["unet"]["cross_attention_dim"]
    if text != needed:
        raise NotDrawable(
            f"its UNet reads text of width {needed} and its text encoder gives {text}"
        )


def unet_config(shapes: Shapes, pooled: int | None) -> Config:
    """Of a UNet's tensors, named from "input_blocks." on. Raises `NotDrawable` or KeyError.

    `pooled`: the width of XL's pooled prompt; None for the other families.
    """
    stages = _stages(shapes)
    depths = _depths(shapes, stages)
    widths = [stage["width"] for stage in stages]
    linear = len(shapes["middle_block.1.proj_in.weight"]) == 2
    config: Config = {
        "in_channels": shapes["input_blocks.0.0.weight"][1],
        "out_channels": shapes["out.2.weight"][0],
        "block_out_channels": widths,
        "layers_per_block": [stage["layers"] for stage in stages],
        "transformer_layers_per_block": depths,
        "down_block_types": [_block("Down", stage["depth"]) for stage in stages],
        "up_block_types": [_block("Up", stage["depth"]) for stage in reversed(stages)],
        "num_attention_heads": [
            max(width // HEAD_WIDTH, 1) if linear else HEADS_OF_SD15 for width in widths
        ],
        "cross_attention_dim": _context(shapes),
        "use_linear_projection": linear,
    }
    return config | (_added(shapes, pooled) if pooled is not None else {})


def _block(direction: str, depth: int) -> str:
    return f"{'CrossAttn' if depth else ''}{direction}Block2D"


def _stages(shapes: Shapes) -> list[Config]:
    """Width, layers and depth of the transformers at each size, from the outermost inwards."""
    stages: list[Config] = [{"width": shapes["input_blocks.0.0.weight"][0], "layers": 0}]
    block = 1
    while True:
        place = f"input_blocks.{block}"
        if f"{place}.0.op.weight" in shapes:
            stages.append({"layers": 0})
        elif f"{place}.0.out_layers.3.weight" in shapes:
            _add_layer(stages[-1], shapes, place)
        else:
            break
        block += 1
    if not all(stage["layers"] for stage in stages):
        raise NotDrawable("the blocks of its UNet are not those of Stable Diffusion")
    return stages


def _add_layer(stage: Config, shapes: Shapes, place: str) -> None:
    layer = {
        "width": shapes[f"{place}.0.out_layers.3.weight"][0],
        "depth": _count(shapes, f"{place}.1.transformer_blocks."),
    }
    if stage["layers"] and any(stage[name] != value for name, value in layer.items()):
        raise NotDrawable("its UNet is a cut-down one, whose layers differ within a block")
    stage.update(layer, layers=stage["layers"] + 1)


def _depths(shapes: Shapes, stages: list[Config]) -> list[int]:
    """The middle block is as deep as the innermost one."""
    middle = _count(shapes, "middle_block.1.transformer_blocks.")
    if not middle or stages[-1]["depth"] not in (0, middle):
        raise NotDrawable("its UNet is a cut-down one, without the usual middle block")
    return [*(stage["depth"] or 1 for stage in stages[:-1]), middle]


def _context(shapes: Shapes) -> int:
    return shapes["middle_block.1.transformer_blocks.0.attn2.to_k.weight"][1]


def _added(shapes: Shapes, pooled: int) -> Config:
    """Of XL: what is added to the time embedding, the pooled prompt and the time ids."""
    joined = shapes["label_emb.0.0.weight"][1]
    return {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": (joined - pooled) // TIME_IDS,
        "projection_class_embeddings_input_dim": joined,
    }


def _text_config(shapes: Shapes, part: TextPart, family: str) -> Config:
    tensors = within(shapes, part.prefix)
    if part.naming == OPEN_CLIP:
        return open_clip_config(tensors, family)
    return clip_config(
        {name.removeprefix("text_model."): shape for name, shape in tensors.items()}, family
    )


def clip_config(shapes: Shapes, family: str) -> Config:
    """Of a text encoder's tensors under transformers' names, from "embeddings." on."""
    layers = _count(shapes, "encoder.layers.")
    if family == "sd21" and layers == SD2_TEXT_LAYERS:
        layers = SD2_TEXT_LAYERS_USED
    return _text(
        shapes["embeddings.token_embedding.weight"],
        shapes["embeddings.position_embedding.weight"][0],
        shapes["encoder.layers.0.mlp.fc1.weight"][0],
        layers,
        "gelu" if family == "sd21" else "quick_gelu",
    )


def open_clip_config(shapes: Shapes, family: str) -> Config:
    """Of OpenCLIP's tensors. Stable Diffusion 2 leaves the last layer out; XL does not."""
    layers = _count(shapes, "transformer.resblocks.")
    config = _text(
        shapes["token_embedding.weight"],
        shapes["positional_embedding"][0],
        shapes["transformer.resblocks.0.mlp.c_fc.weight"][0],
        layers if family == "sdxl" else layers - 1,
        "gelu",
    )
    if family == "sdxl":
        config["projection_dim"] = shapes["text_projection"][1]
    return config


def _text(
    words: tuple[int, ...], positions: int, hidden: int, layers: int, activation: str
) -> Config:
    return {
        "vocab_size": words[0],
        "hidden_size": words[1],
        "intermediate_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": words[1] // HEAD_WIDTH,
        "max_position_embeddings": positions,
        "hidden_act": activation,
        "eos_token_id": words[0] - 1,
    }


def vae_config(shapes: Shapes, family: str) -> Config:
    """Of an autoencoder's tensors, named from "encoder." on, in either naming."""
    original = "encoder.down.0.block.0.conv1.weight" in shapes
    stage, layer = (
        ("encoder.down.", ".block.") if original else ("encoder.down_blocks.", ".resnets.")
    )
    count = _count(shapes, stage)
    kinds = {"down_block_types": "DownEncoderBlock2D", "up_block_types": "UpDecoderBlock2D"}
    return {
        "block_out_channels": [shapes[f"{stage}{i}{layer}0.conv1.weight"][0] for i in range(count)],
        "layers_per_block": _count(shapes, f"{stage}0{layer}"),
        "latent_channels": shapes["decoder.conv_in.weight"][1],
        "scaling_factor": SCALING.get(family, SCALING["sd15"]),
        "force_upcast": family == "sdxl",
        "use_quant_conv": "quant_conv.weight" in shapes,
        "use_post_quant_conv": "post_quant_conv.weight" in shapes,
        **{name: [kind] * count for name, kind in kinds.items()},
    }


def _count(names: Iterable[str], prefix: str) -> int:
    """How many numbers stand behind `prefix`, counted from 0 without a gap."""
    numbers = {name[len(prefix) :].partition(".")[0] for name in names if name.startswith(prefix)}
    return next(i for i in range(len(numbers) + 1) if str(i) not in numbers)
