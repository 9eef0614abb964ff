"""LoRAs for SDXL in kohya's spelling: the UNet's original block names, two text encoders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.engine.contract import CancelToken, ModelSpec
from sidecar.engine.diffusion.engine import DiffusionEngine
from tests.engine.diffusion.drawing import Drawn, lora, render_spec
from tests.engine.diffusion.lora_writers import factors_for, kohya_sdxl
from tests.engine.diffusion.small_models import (
    PROMPT,
    SIDE,
    UNETS,
    opened_by_diffusers,
    picture_by_diffusers,
    write_folder,
)
from tests.engine.diffusion.small_sd import write_lora

pytestmark = pytest.mark.engine

TOLERANCE = 1.0  # of 255, mean absolute difference
ALPHA = 0.8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder("sdxl", tmp_path_factory.mktemp("models") / "sdxl")


def changed_layer(name: str) -> bool:
    return "embed" not in name and not name.endswith(("text_projection", "conv_in", "conv_out"))


def test_a_kohya_file_for_sdxl_draws_the_picture_of_diffusers(folder: Path, tmp_path: Path) -> None:
    pipe = opened_by_diffusers(folder)
    networks = {name: getattr(pipe, name) for name in ("unet", "text_encoder", "text_encoder_2")}
    factors = [replace(f, alpha=1.0) for f in factors_for(networks, changed_layer)]
    tensors = kohya_sdxl(UNETS["sdxl"])(factors)
    path = write_lora(tmp_path / "style.safetensors", tensors)
    model = ModelSpec("sdxl", str(folder), "sdxl")
    engine = DiffusionEngine(threads=1)
    engine.warm_up()

    def draw(*loras: Any) -> Any:
        drawn = Drawn()
        spec = render_spec(model=model, prompt=PROMPT, width=SIDE, height=SIDE, sampler="ddim")
        spec = replace(spec, loras=loras)
        engine.render("draw", spec, drawn.events.append, CancelToken())
        return drawn.images[0]

    plain = draw()
    receipt = engine.apply_loras("s", model, (lora(path, ALPHA),), lambda e: None, CancelToken())
    assert receipt.unsupported == ()
    assert receipt.matched_keys == receipt.total_keys == len(tensors)
    assert any(block.startswith("text_encoder_2.") for block in receipt.relative_delta_by_block)
    ours = draw(lora(path, ALPHA))
    pipe.load_lora_weights(str(path), adapter_name="style")
    pipe.set_adapters(["style"], [ALPHA])
    theirs = picture_by_diffusers(pipe)
    assert float(np.abs(ours - theirs).mean()) <= TOLERANCE
    assert float(np.abs(ours - plain).mean()) > 3 * TOLERANCE, "the LoRA is seen"
