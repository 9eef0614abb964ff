"""What people write without us: load the model with diffusers, draw one picture, save it."""

import argparse
import os

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("out")
parser.add_argument("--prompt", required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--guidance-scale", type=float, required=True)
options = parser.parse_args()

pipeline = StableDiffusionPipeline.from_pretrained(options.model, dtype=torch.float32)
pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
pipeline.set_progress_bar_config(disable=True)
picture = pipeline(
    options.prompt,
    num_inference_steps=options.steps,
    guidance_scale=options.guidance_scale,
    generator=torch.Generator().manual_seed(options.seed),
).images[0]
picture.save(options.out)
