"""Pictures from a pipeline folder: used by the evaluation and the grids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

ASSET = Path(__file__).parents[1] / "sidecar" / "assets" / "starter"
STEPS = 14
GUIDANCE = 2.5
BATCH = 14


def load_pipeline(folder: Path) -> StableDiffusionPipeline:
    """The pipeline in float32, quiet."""
    pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generate(
    pipeline: StableDiffusionPipeline,
    prompts: list[str],
    seeds: list[int],
    steps: int = STEPS,
    guidance: float = GUIDANCE,
) -> np.ndarray:
    """One picture for each (prompt, seed): uint8 of shape (N, 128, 128, 3)."""
    pictures: list[np.ndarray] = []
    for start in range(0, len(prompts), BATCH):
        part = slice(start, start + BATCH)
        images = pipeline(
            prompts[part],
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds[part]],
        ).images
        pictures += [np.asarray(image) for image in images]
    return np.stack(pictures)


def grid(pictures: np.ndarray, columns: int) -> Image.Image:
    """Pictures side by side on white."""
    count, height, width = pictures.shape[:3]
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for i, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture), (i % columns * width, i // columns * height))
    return sheet
