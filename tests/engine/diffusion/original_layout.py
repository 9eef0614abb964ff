"""From diffusers' tensors to the layout of the original checkpoints, as training wrote them.

Written apart from `sidecar.engine.diffusion.ldm_names`, which goes the other way: with the closed
formulas that follow from two layers at each size. `test_checkpoint_layouts` holds what comes out
at full size against the published files.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Tensors = dict[str, Tensor]

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
OUTER = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
VAE_ATTENTION = {
    "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out",
}  # fmt: skip


def unet(tensors: Tensors, up_attention: list[bool]) -> Tensors:
    return {_unet_name(name, up_attention): tensor for name, tensor in tensors.items()}


def _unet_name(name: str, up_attention: list[bool]) -> str:
    for ours, theirs in OUTER.items():
        if name.startswith(f"{ours}."):
            return theirs + name[len(ours) :]
    parts = name.split(".")
    if parts[0] == "mid_block":
        place = {"resnets.0": 0, "attentions.0": 1, "resnets.1": 2}[".".join(parts[1:3])]
        return f"middle_block.{place}.{_inner(parts[1], parts[3:])}"
    stage, kind, layer = int(parts[1]), parts[2], int(parts[3])
    if kind == "downsamplers":
        return f"input_blocks.{3 * stage + 3}.0.op.{parts[-1]}"
    if kind == "upsamplers":
        return f"output_blocks.{3 * stage + 2}.{1 + up_attention[stage]}.conv.{parts[-1]}"
    place = "1" if kind == "attentions" else "0"
    if parts[0] == "down_blocks":
        return f"input_blocks.{3 * stage + layer + 1}.{place}.{_inner(kind, parts[4:])}"
    return f"output_blocks.{3 * stage + layer}.{place}.{_inner(kind, parts[4:])}"


def _inner(kind: str, rest: list[str]) -> str:
    return ".".join([RESNET[rest[0]], *rest[1:]] if kind == "resnets" else rest)


def vae(tensors: Tensors, sizes: int) -> Tensors:
    found: Tensors = {}
    for name, tensor in tensors.items():
        theirs = _vae_name(name, sizes)
        square = ".mid.attn_1." in theirs and tensor.ndim == 2
        found[theirs] = tensor[:, :, None, None] if square else tensor
    return found


def _vae_name(name: str, sizes: int) -> str:
    parts = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    parts = parts.split(".")
    if parts[1] == "mid_block" and parts[2] == "resnets":
        return ".".join([parts[0], "mid", f"block_{int(parts[3]) + 1}", *parts[4:]])
    if parts[1] == "mid_block":
        inner = VAE_ATTENTION[".".join(parts[4:-1])]
        return f"{parts[0]}.mid.attn_1.{inner}.{parts[-1]}"
    if parts[1] in ("down_blocks", "up_blocks"):
        direction = parts[1].removesuffix("_blocks")
        stage = int(parts[2]) if direction == "down" else sizes - 1 - int(parts[2])
        if parts[3] != "resnets":
            return f"{parts[0]}.{direction}.{stage}.{direction}sample.{'.'.join(parts[5:])}"
        return f"{parts[0]}.{direction}.{stage}.block.{'.'.join(parts[4:])}"
    return ".".join(parts)


def open_clip(tensors: Tensors, layers: int) -> Tensors:
    """`layers`: how many the original has; Stable Diffusion 2 leaves its last one out."""
    plain = {name.removeprefix("text_model."): tensor for name, tensor in tensors.items()}
    width = plain["final_layer_norm.weight"].shape[0]
    device = plain["final_layer_norm.weight"].device
    projection = plain.get("text_projection.weight")
    found: Tensors = {
        "token_embedding.weight": plain["embeddings.token_embedding.weight"],
        "positional_embedding": plain["embeddings.position_embedding.weight"],
        "ln_final.weight": plain["final_layer_norm.weight"],
        "ln_final.bias": plain["final_layer_norm.bias"],
        "logit_scale": torch.ones((), device=device),
        "text_projection": (
            torch.zeros(width, width, device=device) if projection is None else projection.T
        ),
    }
    for i in range(layers):
        source = f"encoder.layers.{i if f'encoder.layers.{i}.layer_norm1.bias' in plain else 0}."
        target = f"transformer.resblocks.{i}."
        for kind in ("weight", "bias"):
            thirds = [plain[f"{source}self_attn.{x}_proj.{kind}"] for x in "qkv"]
            found[f"{target}attn.in_proj_{kind}"] = torch.cat(thirds)
            for ours, theirs in (
                ("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"),
                ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"),
            ):  # fmt: skip
                found[f"{target}{theirs}.{kind}"] = plain[f"{source}{ours}.{kind}"]
    return found


def clip(tensors: Tensors) -> Tensors:
    """transformers' own names: "text_model." stands before all of them."""
    return {f"text_model.{name.removeprefix('text_model.')}": t for name, t in tensors.items()}


def checkpoint(family: str, parts: dict[str, Tensors], configs: dict[str, Any]) -> Tensors:
    """The whole file. `parts` and `configs`: by the names of the folders of a diffusers model."""
    attention = [kind.startswith("CrossAttn") for kind in configs["unet"]["up_block_types"]]
    text = parts["text_encoder"]
    layers = {name: config.get("num_hidden_layers", 0) for name, config in configs.items()}
    found = {
        "model.diffusion_model.": unet(parts["unet"], attention),
        "first_stage_model.": vae(parts["vae"], len(configs["vae"]["block_out_channels"])),
    }
    if family == "sd15":
        found["cond_stage_model.transformer."] = clip(text)
    elif family == "sd21":
        found["cond_stage_model.model."] = open_clip(text, layers["text_encoder"] + 1)
    else:
        found["conditioner.embedders.0.transformer."] = clip(text)
        second = open_clip(parts["text_encoder_2"], layers["text_encoder_2"])
        found["conditioner.embedders.1.model."] = second
    return {
        prefix + name: tensor for prefix, part in found.items() for name, tensor in part.items()
    }
