"""Model folders and LoRA files for the tests of the catalog; only headers and sizes are real."""

import json
import struct
from pathlib import Path
from typing import Any

Shapes = dict[str, list[int]]

CROSS = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_{}.weight"


def lora_shapes(text_width: int, rank: int) -> Shapes:
    return {CROSS.format("A"): [rank, text_width], CROSS.format("B"): [320, rank]}


def safetensors(shapes: Shapes, metadata: dict[str, str] | None = None) -> bytes:
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    position = 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        offsets = [position, position + size]
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": offsets}
        position += size
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + bytes(position)


def raw_file(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def write_lora(
    folder: Path,
    name: str,
    text_width: int = 768,
    rank: int = 4,
    metadata: dict[str, str] | None = None,
    card: object = None,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    path.write_bytes(safetensors(lora_shapes(text_width, rank), metadata))
    if card is not None:
        text = card if isinstance(card, str) else json.dumps(card)
        path.with_suffix(".json").write_text(text, encoding="utf-8")
    return path


def write_model(
    folder: Path,
    text_width: int = 768,
    sample_size: int = 64,
    pipeline: str = "StableDiffusionPipeline",
    weights: str = "diffusion_pytorch_model.safetensors",
) -> Path:
    for part in ("unet", "vae", "text_encoder"):
        (folder / part).mkdir(parents=True)
        (folder / part / weights).write_bytes(bytes(1000))
    write_json(folder / "model_index.json", {"_class_name": pipeline})
    unet = {"cross_attention_dim": text_width, "sample_size": sample_size}
    write_json(folder / "unet" / "config.json", unet)
    write_json(folder / "vae" / "config.json", {"block_out_channels": [128, 256, 512, 512]})
    return folder


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
