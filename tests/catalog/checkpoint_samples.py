"""The fewest tensors that make a single-file checkpoint of each family; small, and all zeros."""

from __future__ import annotations

from pathlib import Path

from tests.catalog.catalog_samples import Shapes, safetensors

UNET, VAE = "model.diffusion_model.", "first_stage_model."
CLIP_1, OPEN_CLIP_1 = "cond_stage_model.transformer.text_model.", "cond_stage_model.model."
CLIP_XL, OPEN_CLIP_XL = (
    "conditioner.embedders.0.transformer.text_model.",
    "conditioner.embedders.1.model.",
)
WIDTH = 64


def unet(context: int, linear: bool, added: int | None = None, channels: int = 4) -> Shapes:
    """One size, one layer."""
    square = [WIDTH, WIDTH] if linear else [WIDTH, WIDTH, 1, 1]
    shapes: Shapes = {
        "input_blocks.0.0.weight": [WIDTH, channels, 3, 3],
        "input_blocks.1.0.out_layers.3.weight": [WIDTH, WIDTH, 3, 3],
        "out.2.weight": [4, WIDTH, 3, 3],
    }
    for block in ("input_blocks.1.1", "middle_block.1"):
        shapes[f"{block}.proj_in.weight"] = square
        shapes[f"{block}.transformer_blocks.0.attn2.to_k.weight"] = [WIDTH, context]
    if added is not None:
        shapes["label_emb.0.0.weight"] = [WIDTH, added]
    return shapes


def vae() -> Shapes:
    return {
        "encoder.down.0.block.0.conv1.weight": [32, 32, 3, 3],
        "decoder.conv_in.weight": [32, 4, 3, 3],
    }


def clip(width: int) -> Shapes:
    return {
        "embeddings.token_embedding.weight": [64, width],
        "embeddings.position_embedding.weight": [77, width],
        "encoder.layers.0.mlp.fc1.weight": [width, width],
    }


def open_clip(width: int) -> Shapes:
    return {
        "token_embedding.weight": [64, width],
        "positional_embedding": [77, width],
        "transformer.resblocks.0.mlp.c_fc.weight": [width, width],
        "text_projection": [width, width],
    }


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def checkpoint(family: str, channels: int = 4) -> Shapes:
    if family == "sd15":
        parts = prefixed(UNET, unet(64, False, channels=channels)) | prefixed(CLIP_1, clip(64))
    elif family == "sd21":
        parts = prefixed(UNET, unet(64, True)) | prefixed(OPEN_CLIP_1, open_clip(64))
    else:
        parts = prefixed(UNET, unet(128, True, added=64 + 6 * 32))
        parts |= prefixed(CLIP_XL, clip(64)) | prefixed(OPEN_CLIP_XL, open_clip(64))
    return parts | prefixed(VAE, vae())


def write(path: Path, shapes: Shapes, metadata: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(safetensors(shapes, metadata))
    return path
