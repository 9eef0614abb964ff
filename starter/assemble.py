"""Stage `assemble`: the trained parts as one fp16 StableDiffusionPipeline folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextModel

from starter.tokenizer import load_tokenizer
from starter.unet import NOISE_SCHEDULE

WHITE_GAIN = 1.04
"""Contrast of the decoder's output, folded into its last convolution: the UNet's latents are never
exact, so that paper comes out at 250 of 255, and this brings most of it to white."""
LEGAL = Path(__file__).parent / "legal"


def new_scheduler() -> DPMSolverMultistepScheduler:
    """DPM-Solver++ of second order (arXiv 2211.01095) with trailing timesteps."""
    return DPMSolverMultistepScheduler(
        **NOISE_SCHEDULE,
        timestep_spacing="trailing",
        algorithm_type="dpmsolver++",
        solver_order=2,
        steps_offset=1,
    )


def assemble(work: Path, out: Path) -> Path:
    """Write the pipeline, its licence texts and its card to `out` (replacing what is there)."""
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(work / "decoder" / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(work / "unet" / "text_encoder"),
        tokenizer=load_tokenizer(work),
        unet=UNet2DConditionModel.from_pretrained(work / "unet" / "unet"),
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    raise_contrast(pipeline.vae, WHITE_GAIN)
    pipeline.to(torch.float16)
    shutil.rmtree(out, ignore_errors=True)
    pipeline.save_pretrained(out, safe_serialization=True)
    for text in LEGAL.iterdir():
        shutil.copyfile(text, out / text.name)
    forget_origin(out)
    return out


@torch.no_grad()
def raise_contrast(vae: AutoencoderKL, gain: float) -> None:
    """Multiply what the decoder gives, -1..1 around middle grey."""
    last = vae.decoder.conv_out
    last.weight.mul_(gain)
    last.bias.mul_(gain)


def forget_origin(folder: Path) -> None:
    """Take the training folder's name out of the saved configurations."""
    for path in folder.rglob("*.json"):
        lines = path.read_text().splitlines()
        kept = [line for line in lines if '"_name_or_path"' not in line]
        path.write_text("\n".join(kept) + "\n")


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
