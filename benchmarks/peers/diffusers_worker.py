"""Plain diffusers, resident: takes one JSON object a line and answers how long it took.

    {"op": "generate", "prompt": …, "seed": …, "steps": …, "guidance_scale": …}
    {"op": "unload_and_load" | "hotswap" | "set_adapters", "lora": path, "alpha": …}

The usual calls, with nothing added: adapters stay unmerged, as diffusers leaves them.
"""

import io
import json
import os
import sys
import time
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

NAME = "style"


def main() -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(sys.argv[1], dtype=torch.float32)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    answer({"ready": True, "threads": torch.get_num_threads()})
    for line in sys.stdin:
        request = json.loads(line)
        start = time.perf_counter()
        facts = OPERATIONS[request["op"]](pipeline, request)
        answer({"ms": (time.perf_counter() - start) * 1000, **(facts or {})})


def answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def generate(pipeline: Any, request: dict[str, Any]) -> None:
    """Draws and encodes one picture; a PNG, or a WebP for a preview."""
    picture = pipeline(
        request["prompt"],
        num_inference_steps=request["steps"],
        guidance_scale=request["guidance_scale"],
        width=request["width"],
        height=request["height"],
        generator=torch.Generator().manual_seed(request["seed"]),
    ).images[0]
    picture.save(io.BytesIO(), request.get("format", "PNG"))


def unload_and_load(pipeline: Any, request: dict[str, Any]) -> None:
    pipeline.unload_lora_weights()
    pipeline.load_lora_weights(request["lora"], adapter_name=NAME)
    pipeline.set_adapters([NAME], [request["alpha"]])


def hotswap(pipeline: Any, request: dict[str, Any]) -> None:
    pipeline.load_lora_weights(request["lora"], adapter_name=NAME, hotswap=True)
    pipeline.set_adapters([NAME], [request["alpha"]])


def set_adapters(pipeline: Any, request: dict[str, Any]) -> None:
    pipeline.set_adapters([NAME], [request["alpha"]])


def adapted_layers(pipeline: Any, _request: dict[str, Any]) -> dict[str, int]:
    """How many layers carry the adapter: nothing may be dropped in silence."""
    return {"layers": sum(name.endswith(f"lora_B.{NAME}") for name, _ in named(pipeline))}


def named(pipeline: Any) -> list[tuple[str, Any]]:
    parts = (pipeline.unet, pipeline.text_encoder)
    return [entry for part in parts for entry in part.named_modules()]


OPERATIONS = {
    "generate": generate,
    "unload_and_load": unload_and_load,
    "hotswap": hotswap,
    "set_adapters": set_adapters,
    "adapted_layers": adapted_layers,
}

if __name__ == "__main__":
    main()
