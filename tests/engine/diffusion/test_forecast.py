"""The forecast follows the networks: what it says of a size is what drawing at that size takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

from sidecar.engine.contract import CancelToken
from sidecar.engine.diffusion import activations
from sidecar.engine.diffusion.activations import Sizes
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.load import load
from sidecar.engine.diffusion.low_vram import encode_tiled
from tests.engine.diffusion.drawing import STARTER

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def starter() -> Components:
    device = Device("cpu", "test")
    return load(STARTER, device, lambda stage, percent: None, CancelToken())


def widest_moment(run: Callable[[], Any]) -> int:
    """The most bytes in tensors at once while it runs, as the allocator counts them."""
    with torch.profiler.profile(profile_memory=True) as profile, torch.inference_mode():
        run()
    live = most = 0
    for event in profile.profiler.kineto_results.events():  # pyright: ignore
        if event.name() == "[memory]":
            live += event.nbytes()
            most = max(most, live)
    return most


@pytest.mark.parametrize("side", [128, 256])
@pytest.mark.parametrize("pictures", [1, 2])
def test_denoising_counts_every_tensor_of_the_widest_moment(
    starter: Components, side: int, pictures: int
) -> None:
    sizes = Sizes(side, side, pictures, guided=True, steps=1)
    latents = torch.zeros(2 * pictures, 8, side // 8, side // 8)
    context = torch.zeros(2 * pictures, 16, 128)
    counted = activations.denoising(starter, sizes, ())
    taken = widest_moment(
        lambda: starter.unet(latents, starter.unet.prepare(context, torch.ones(1)), 0)
    )
    # What is added for oneDNN's copies, and the latents of samplers, torch's allocator never sees.
    assert 0.7 * counted <= taken <= 1.1 * counted


@pytest.mark.parametrize("side", [128, 256])
def test_decoding_counts_every_tensor_of_the_widest_moment(starter: Components, side: int) -> None:
    latents = torch.zeros(1, 8, side // 8, side // 8)
    counted = activations.decoding(starter, Sizes(side, side, 1, True, 1), ())
    taken = widest_moment(lambda: starter.vae.decode(latents))
    assert 0.8 * counted <= taken <= 1.1 * counted


@pytest.mark.parametrize("low_vram", [(), ("vae_tiling",)])
@pytest.mark.parametrize("side", [256, 640])
def test_encoding_counts_every_tensor_of_the_widest_moment(
    starter: Components, side: int, low_vram: tuple[str, ...]
) -> None:
    """Of an initial picture, which is held meanwhile."""
    counted = activations.encoding(starter, Sizes(side, side, 1, True, 1), low_vram)
    vae, pixels = starter.vae, torch.zeros(1, 3, side, side)
    taken = widest_moment(
        lambda: encode_tiled(vae.moments, pixels, 8, 16) if low_vram else vae.moments(pixels)
    )
    assert 0.8 * counted <= taken + pixels.nbytes <= 1.1 * counted


def test_tiles_bound_decoding_whatever_the_picture(starter: Components) -> None:
    tiled = [
        activations.decoding(starter, Sizes(side, side, 1, True, 1), ("vae_tiling",))
        for side in (512, 1024, 2048)
    ]
    whole = activations.decoding(starter, Sizes(2048, 2048, 1, True, 1), ())
    assert tiled[0] < tiled[1] < tiled[2] < whole / 3


def test_attention_is_counted_without_its_scores() -> None:
    """As it is: fused kernels keep a few rows of them, not all."""
    query = torch.zeros(1, 1, 4096, 32)
    taken = widest_moment(lambda: functional.scaled_dot_product_attention(query, query, query))
    assert taken < 4096 * 4096 * 4 / 4


CLOSE = 0.2
"""`make bench-memory` has the bar of a tenth; where blocks come to lie differs from run to run."""

ACCURACY = """
import json, sys
from sidecar.engine import allocator
from sidecar.engine.contract import CancelToken
from sidecar.engine.diffusion import memory
from sidecar.engine.diffusion.engine import DiffusionEngine
from tests.engine.diffusion.drawing import STARTER, render_spec

allocator.keep_freed_blocks()
engine = DiffusionEngine(threads=1)
engine.warm_up()
engine.load_model("load", STARTER, lambda event: None, CancelToken())
main, told = engine._parts.device.main, []
for width, height in ((128, 128), (512, 512), (256, 256), (384, 512), (512, 512)):
    spec = render_spec(width=width, height=height, steps=1)
    memory.release(engine._parts.device)
    peak = engine.memory(1, spec).forecast.peak
    with main.span():
        pass
    main._highest = 0
    engine.render("draw", spec, lambda event: None, CancelToken())
    told.append((peak, main.highest()))
sys.stdout.write(json.dumps(told))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's high-water mark")
def test_what_is_foretold_is_taken() -> None:
    """Of the engine's process, from the first picture on, at sizes it has and has not seen."""
    out = subprocess.run([sys.executable, "-c", ACCURACY], capture_output=True, timeout=300)
    assert out.returncode == 0, out.stderr.decode()[-3000:]
    for foretold, taken in json.loads(out.stdout):
        assert abs(foretold / taken - 1) < CLOSE, json.loads(out.stdout)


AFTER_AN_UPSCALE = """
import io, json, sys, tempfile
from pathlib import Path
from PIL import Image
from sidecar.engine import allocator
from sidecar.engine.complete import CompleteEngine
from sidecar.engine.contract import CancelToken, CheckSpec, Enlarging, UpscalerSpec, UpscaleSpec
from sidecar.engine.diffusion import memory
from sidecar.engine.diffusion.engine import DiffusionEngine
from sidecar.engine.memory.beside import Beside
from sidecar.paths import bundled_lora_folder, upscaler_folder
from tests.engine.diffusion.drawing import STARTER, render_spec

allocator.keep_freed_blocks()
beside = Beside()
drawing = DiffusionEngine(threads=1, beside=beside)
engine = CompleteEngine(drawing, threads=1, beside=beside)
engine.warm_up()
engine.load_model("load", STARTER, lambda event: None, CancelToken())
net = UpscalerSpec("anime", str(upscaler_folder() / "realesrgan-x4plus-anime.onnx"))
out = io.BytesIO()
Image.open(bundled_lora_folder() / "ink.png").convert("RGB").crop((0, 0, 120, 100)).save(out, "PNG")
told = []

def draw(**changes):
    spec = render_spec(steps=1, **changes)
    memory.release(drawing._parts.device)
    forecast = engine.memory(1, spec).forecast
    with beside.main.span():
        pass
    beside.main._highest = 0
    engine.render("draw", spec, lambda event: None, CancelToken())
    told.append((forecast.peak, beside.main.highest(), forecast.measured))

draw(width=256, height=256)
job = UpscaleSpec(out.getvalue(), 2, net, tempfile.mkdtemp())
engine.upscale("upscale", job, lambda event: None, CancelToken())
draw(width=256, height=256)
draw(width=384, height=384)
draw(width=384, height=384)
plan = Enlarging(net, 2, 256, 256, without_gpu_only=True)
draw(width=512, height=512, enlarging=plan)
draw(width=512, height=512, enlarging=plan)
draw(width=256, height=256, checks=CheckSpec(nsfw="warn"))
draw(width=256, height=256)
shown = {one.name: one.bytes for one in engine.memory(1).components}
sys.stdout.write(json.dumps([told, shown]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's high-water mark")
def test_it_is_foretold_as_well_beside_onnx_runtime() -> None:
    """After an upscale, with enlarging and with checks; learning goes on, and what is held is
    shown."""
    out = subprocess.run([sys.executable, "-c", AFTER_AN_UPSCALE], capture_output=True, timeout=300)
    assert out.returncode == 0, out.stderr.decode()[-3000:]
    told, shown = json.loads(out.stdout)
    for foretold, taken, _ in told:
        assert abs(foretold / taken - 1) < CLOSE, told
    assert told[5][1] > told[1][1] + 100 * 2**20, "enlarging takes the most of a planned picture"
    assert told[5][2], "what enlarging takes is learned"
    held = {name for name in shown if name not in ("unet", "vae", "text_encoder")}
    assert held == {"onnxruntime", "upscaler: anime", "checks: nsfw"}
    assert all(5 * 2**20 < shown[name] < 200 * 2**20 for name in held), shown
