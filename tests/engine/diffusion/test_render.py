"""Rendering: events, seeds, counts, cancelling, initial pictures, broken numbers."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sidecar.engine.contract import (
    CancelToken,
    EngineWarning,
    ImageReady,
    ModelLoading,
)
from sidecar.engine.diffusion.engine import DiffusionEngine
from sidecar.engine.diffusion.low_vram import decode_tiled, encode_tiled, measures
from sidecar.engine.diffusion.samplers import SAMPLERS
from sidecar.engine.memory.rungs import RUNGS
from sidecar.errors import Cancelled, ImageTooLarge, ImageUnreadable, NumericalFault, OutOfMemory
from sidecar.paths import bundled_lora_folder
from tests.engine.diffusion.drawing import (
    BUNDLED,
    STARTER,
    Draw,
    Drawn,
    lora,
    pixels,
    render_spec,
)

pytestmark = pytest.mark.engine


def png(picture: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_the_same_seed_gives_the_same_bytes(draw: Draw, sampler: str) -> None:
    first, second = draw(sampler=sampler, steps=2), draw(sampler=sampler, steps=2)
    assert first.of(ImageReady)[0].data == second.of(ImageReady)[0].data
    other = draw(sampler=sampler, steps=2, seed=8)
    assert other.of(ImageReady)[0].data != first.of(ImageReady)[0].data


def test_a_picture_does_not_depend_on_how_many_are_drawn_with_it(draw: Draw) -> None:
    together = draw(count=6, steps=3, sampler="euler_a")
    assert [event.index for event in together.of(ImageReady)] == list(range(6))
    assert [event.seed for event in together.of(ImageReady)] == list(range(7, 13))
    for i in (0, 5):
        alone = draw(seed=7 + i, steps=3, sampler="euler_a").images[0]
        assert abs(alone - together.images[i]).mean() <= 1


def test_a_repeated_job_skips_what_is_finished(draw: Draw) -> None:
    whole, rest = draw(count=3, steps=2), draw(count=3, seed_offset=2, steps=2)
    assert [(event.index, event.seed) for event in rest.of(ImageReady)] == [(2, 9)]
    assert abs(whole.images[2] - rest.images[0]).mean() <= 1


def test_events_come_in_order_and_count_up(draw: Draw) -> None:
    drawn = draw(steps=5, frame_every=2)
    denoise = [event.step for event in drawn.progress if event.phase == "denoise"]
    assert denoise == [1, 2, 3, 4, 5]
    phases = [event.phase for event in drawn.progress]
    assert phases == ["load", "encode", *["denoise"] * 5, "decode"]
    assert [(frame.step, frame.early) for frame in drawn.frames] == [
        (1, True),
        (2, False),
        (4, False),
    ]
    assert isinstance(drawn.events[-1], ImageReady)


def test_steps_of_several_batches_are_counted_together(draw: Draw) -> None:
    drawn = draw(count=3, width=256, height=256, steps=2)
    steps = [(e.step, e.steps) for e in drawn.progress if e.phase == "denoise"]
    assert steps == [(i, 6) for i in range(1, 7)]


def test_the_first_look_resembles_the_picture(draw: Draw) -> None:
    drawn = draw(steps=12, thumbnail_px=64, frame_every=10)
    final = Image.open(io.BytesIO(drawn.of(ImageReady)[0].data)).resize((64, 64))
    looks = [pixels(frame.data) for frame in drawn.frames]
    assert [look.shape for look in looks] == [(64, 64, 3)] * 2
    assert abs(looks[-1] - pixels(png(final))).mean() < 25
    assert abs(looks[0] - pixels(png(final))).mean() < 60


def test_pictures_and_thumbnails_have_the_asked_form(draw: Draw) -> None:
    ready = draw(width=192, height=128, image_format="webp", thumbnail_px=48, steps=2).of(
        ImageReady
    )[0]
    assert (ready.mime, ready.width, ready.height) == ("image/webp", 192, 128)
    assert Image.open(io.BytesIO(ready.data)).format == "WEBP"
    assert Image.open(io.BytesIO(ready.thumbnail)).size == (48, 32)
    plain = draw(thumbnail_px=0, steps=2)
    assert plain.of(ImageReady)[0].thumbnail == b""
    assert not plain.frames
    picture = Image.open(io.BytesIO(plain.of(ImageReady)[0].data))
    assert picture.format == "PNG"
    assert not picture.info, "the front adds the metadata"


@pytest.mark.parametrize("size", [(72, 88), (64, 200)])
def test_sizes_that_halve_unevenly_are_drawn(draw: Draw, size: tuple[int, int]) -> None:
    assert draw(width=size[0], height=size[1], steps=1).images[0].shape == (size[1], size[0], 3)


def test_cancelling_between_steps_leaves_a_usable_engine(engine: Any, draw: Draw) -> None:
    before, cancel, steps = draw().images[0], CancelToken(), 0

    def emit(event: Any) -> None:
        nonlocal steps
        if getattr(event, "phase", "") == "denoise":
            steps += 1
            if steps == 2:
                cancel.cancel()

    with pytest.raises(Cancelled):
        engine.render("x", render_spec(loras=(lora(BUNDLED[0]),), steps=9), emit, cancel)
    assert steps == 2
    assert (draw().images[0] == before).all()


def test_a_job_cancelled_before_it_starts_merges_nothing(engine: Any, draw: Draw) -> None:
    draw(steps=1)
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        engine.render("x", render_spec(loras=(lora(BUNDLED[0]),)), lambda event: None, cancel)
    assert engine._resident.merger.stack == ()


def test_strength_says_how_much_of_the_initial_picture_stays(draw: Draw) -> None:
    start = png(Image.new("RGB", (128, 128), (20, 40, 220)))
    little = draw(init_image=start, strength=0.1, steps=10)
    much = draw(init_image=start, strength=0.9, steps=10)
    assert len([e for e in little.progress if e.phase == "denoise"]) == 1
    assert len([e for e in much.progress if e.phase == "denoise"]) == 9
    original = pixels(start)
    assert abs(little.images[0] - original).mean() < abs(much.images[0] - original).mean()


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
def test_every_sampler_takes_an_initial_picture(draw: Draw, sampler: str) -> None:
    start = png(Image.new("RGB", (50, 70), (255, 0, 0)))
    image = draw(init_image=start, strength=0.5, steps=4, sampler=sampler).images[0]
    assert image.shape == (128, 128, 3)


def test_transparent_initial_pictures_lie_over_white_and_are_turned(engine: Any) -> None:
    from sidecar.engine.diffusion.images import decode

    clear = decode(png(Image.new("RGBA", (8, 8), (0, 0, 0, 0))), 8, 8)
    assert bool((clear == 1).all())
    picture = Image.new("RGB", (16, 8), (255, 255, 255))
    picture.putpixel((0, 0), (0, 0, 0))
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    turned = decode(png(picture, exif=exif), 8, 16)
    assert turned.shape == (1, 3, 16, 8)
    assert float(turned[0, 0, 0, 7]) == -1
    assert float(turned[0, 0, 0, 0]) == 1


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_an_unreadable_initial_picture_is_refused(draw: Draw, data: bytes) -> None:
    with pytest.raises(ImageUnreadable):
        draw(init_image=data or b" ")


def test_a_decompression_bomb_is_refused_before_it_is_decoded(draw: Draw) -> None:
    bomb = bytearray(png(Image.new("L", (8, 8))))
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">II", 60_000, 60_000) + bytes(bomb[24:29])
    bomb[12:33] = header + struct.pack(">I", zlib.crc32(header))
    with pytest.raises(ImageTooLarge) as refusal:
        draw(init_image=bytes(bomb))
    assert refusal.value.fields["width"] == 60_000


def test_numbers_that_break_are_told_and_the_next_picture_is_whole(
    engine: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = draw().images[0]
    vae = engine._resident.components.vae
    with monkeypatch.context() as patch:
        patch.setattr(vae, "decode", lambda latents: torch.full((1, 3, 128, 128), float("nan")))
        with pytest.raises(NumericalFault):
            draw()
        patch.setattr(vae, "decode", lambda latents: torch.full((1, 3, 128, 128), -1.0))
        with pytest.raises(NumericalFault) as fault:
            draw()
        assert fault.value.fields["what"] == "black"
    assert (draw().images[0] == before).all()


def test_running_out_of_memory_is_told_and_the_next_picture_is_whole(
    engine: Any, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hungry(*_: Any, **__: Any) -> None:
        torch.empty(2**60)

    unet = engine._resident.components.unet
    with monkeypatch.context() as patch:
        patch.setattr(unet, "prepare", hungry)
        with pytest.raises(OutOfMemory) as fault:
            draw()
        assert fault.value.fields["free_mb"] > 0
    assert draw().images


def test_a_long_prompt_is_cut_and_told_once(draw: Draw) -> None:
    drawn = draw(prompt="a very red apple on a table " * 9, steps=1)
    warnings = [event for event in drawn.of(EngineWarning) if event.kind == "prompt_truncated"]
    assert len(warnings) == 1
    assert warnings[0].fields["dropped"] > 0
    assert not draw(prompt="a very red apple on a table " * 9, steps=1).of(EngineWarning)


def test_a_resident_model_is_not_loaded_again(engine: Any, draw: Draw) -> None:
    draw(steps=1)
    resident = engine._resident
    assert not draw(steps=1).of(ModelLoading)
    assert engine._resident is resident


def test_memory_is_reported_while_nothing_is_asked(engine: Any) -> None:
    report = engine.memory(5)
    assert report.ticket == 5
    assert report.rss > 50_000_000
    assert {c.name for c in report.components} == {"unet", "vae", "text_encoder"}
    assert report.devices[0].total > report.devices[0].free > 0


def test_low_vram_measures_change_no_small_picture_and_are_reported(
    engine: Any, draw: Draw
) -> None:
    before = draw(count=2, steps=2).images
    for mode in RUNGS:
        spec = replace(STARTER, low_vram=mode)
        loaded = engine.load_model("x", spec, lambda event: None, CancelToken())
        assert loaded.rung == mode
        assert loaded.low_vram == measures(mode, False, torch.float32)
        for image, former in zip(draw(model=spec, count=2, steps=2).images, before, strict=True):
            assert abs(image - former).max() <= 1
    engine.load_model("x", STARTER, lambda event: None, CancelToken())


def test_tiles_are_blended_without_seams(engine: Any) -> None:
    components = engine._resident.components
    draw = torch.Generator().manual_seed(0)
    latents = torch.randn(1, components.vae.latent_channels, 16, 80, generator=draw)
    with torch.inference_mode():
        whole = components.vae.decode(latents)
        tiled = decode_tiled(components.vae.decode, latents, components.vae.downscale)
    assert tiled.shape == whole.shape
    assert float((tiled - whole).abs().mean()) < 0.05


def test_an_initial_picture_encoded_in_tiles_is_nearly_that_encoded_whole(engine: Any) -> None:
    vae = engine._resident.components.vae
    picture = Image.open(bundled_lora_folder() / "ink.png").convert("RGB").resize((640, 576))
    pixels = 2 * torch.tensor(np.asarray(picture) / 255).float().permute(2, 0, 1)[None] - 1
    seen: list[int] = []

    def moments(tile: torch.Tensor) -> torch.Tensor:
        seen.append(max(tile.shape[-2:]))
        return vae.moments(tile)

    with torch.inference_mode():
        whole = vae.moments(pixels)
        tiled = encode_tiled(moments, pixels, vae.downscale, whole.shape[1])
    assert max(seen) == 512
    assert len(seen) == 4
    assert tiled.shape == whole.shape
    means, other = whole.chunk(2, dim=1)[0], tiled.chunk(2, dim=1)[0]
    assert float((other - means).abs().mean()) < 0.02 * float(means.std())


def test_a_decoding_that_fails_in_half_precision_is_done_again_in_full(draw: Draw) -> None:
    engine = DiffusionEngine(threads=1)
    spec = replace(STARTER, dtype="bfloat16")
    engine.load_model("x", spec, lambda event: None, CancelToken())
    vae = engine._resident.components.vae  # type: ignore[union-attr]
    decode = vae.decode

    def fragile(latents: torch.Tensor) -> torch.Tensor:
        pixels = decode(latents)
        return pixels if latents.dtype == torch.float32 else pixels * float("nan")

    vae.decode = fragile  # type: ignore[method-assign]
    drawn = Drawn()
    engine.render("x", render_spec(model=spec, steps=2), drawn.events.append, CancelToken())
    assert [event.kind for event in drawn.of(EngineWarning)] == ["nan_retry"]
    assert drawn.images[0].std() > 5
    assert next(vae.parameters()).dtype == torch.bfloat16
