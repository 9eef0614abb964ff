"""Enhance in the engine: which path, what is refused, and that size, alpha and grey are kept."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from sidecar.engine import allocator
from sidecar.engine.complete import CompleteEngine
from sidecar.engine.contract import (
    CancelToken,
    CheckSpec,
    EnhanceSpec,
    Event,
    Forecast,
    Frame,
    ImageReady,
    MemoryReport,
    ModelSpec,
    Progress,
    Rendered,
    RenderSpec,
    UpscalerSpec,
    UpscaleSpec,
)
from sidecar.engine.fake import FakeEngine
from sidecar.engine.memory.ram import MainMemory
from sidecar.errors import (
    Cancelled,
    ContentBlocked,
    ImageBlank,
    ImageBlurred,
    ImageTiny,
)
from sidecar.paths import bundled_lora_folder, starter_folder
from tests.engine.upscale.networks import nearest

MODEL = ModelSpec("starter", str(starter_folder()), "starter")
RENDER = RenderSpec(MODEL, (), "red apple", "", 128, 128, 10, 2.5, "dpmpp_2m", 11, strength=0.4)


class Redraws(FakeEngine):
    """A fake that gives back what it is given to redraw, a little brighter, and notes its sizes.

    `room`: pixels that are foretold to fit.
    """

    def __init__(self, room: int = 10**9) -> None:
        super().__init__()
        self._room = room
        self.sizes: list[tuple[int, int]] = []
        self.foretold: list[RenderSpec] = []
        self.drawn: list[RenderSpec] = []

    def render(self, job_id: str, spec: RenderSpec, emit: Any, cancel: CancelToken) -> Rendered:
        self.sizes.append((spec.width, spec.height))
        self.drawn.append(spec)
        assert spec.init_image is not None
        given = Image.open(io.BytesIO(spec.init_image))
        assert given.size == (spec.width, spec.height)
        data = encoded(given.point(lambda value: min(255, value + 10)))

        def swapped(event: Event) -> None:
            emit(replace(event, data=data) if isinstance(event, ImageReady) else event)

        return super().render(job_id, spec, swapped, cancel)

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        report = super().memory(ticket, planned)
        if planned is None or report.forecast is None:
            return report
        self.foretold.append(planned)
        fits = planned.width * planned.height <= self._room
        forecast: Forecast = replace(report.forecast, fits=fits)
        return replace(report, forecast=forecast)


class Job:
    def __init__(
        self,
        drawing: Any,
        picture: Image.Image,
        folder: Path,
        path: str = "diffusion",
        scale: int = 1,
        device: str = "cpu",
        stop_at: int = 0,
        **options: Any,
    ) -> None:
        self.events: list[Event] = []
        self._token = CancelToken()
        self._stop_at = stop_at
        engine = CompleteEngine(drawing, threads=1)
        engine.warm_up()
        engine._device = device
        upscale = UpscaleSpec(
            encoded(picture),
            scale,
            options.pop("upscaler", None) or UpscalerSpec("net", "nowhere.onnx"),
            str(folder),
            options.pop("checks", CheckSpec()),
        )
        values = {"render": RENDER, "tile": 1024, **options}
        spec = EnhanceSpec(upscale, path, **values)
        self.outcome = engine.enhance("job", spec, self._emit, self._token)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Progress) and event.phase == "denoise" and event.step == self._stop_at:
            self._token.cancel()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def picture(self) -> Image.Image:
        (ready,) = self.of(ImageReady)
        return Image.open(ready.file)


def encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def scene(size: tuple[int, int] = (70, 45), mode: str = "RGB") -> Image.Image:
    picture = Image.effect_noise(size, 60).convert("RGB")
    ImageDraw.Draw(picture).rectangle((5, 5, size[0] // 2, size[1] // 2), (200, 40, 40))
    return picture.convert(mode)


@pytest.fixture
def twice(tmp_path: Path) -> UpscalerSpec:
    return UpscalerSpec("twice", str(nearest(tmp_path / "twice.onnx")))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
@pytest.mark.parametrize("size", [(70, 45), (64, 64), (131, 200)])
def test_size_and_kind_are_kept_whatever_they_are(
    tmp_path: Path, mode: str, size: tuple[int, int]
) -> None:
    picture = scene(size, mode)
    out = Job(Redraws(), picture, tmp_path).picture
    assert (out.size, out.mode) == (picture.size, mode)
    before, after = (np.asarray(p.convert("RGB"), int) for p in (picture, out))
    assert np.abs(after - (before + 10).clip(0, 255)).max() <= 1


def test_transparency_stays_what_it_was(tmp_path: Path) -> None:
    picture = scene(mode="RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    out = Job(Redraws(), picture, tmp_path).picture
    assert np.array_equal(np.asarray(out.getchannel("A")), np.asarray(picture.getchannel("A")))


def test_what_is_drawn_has_sides_that_can_be_drawn(tmp_path: Path) -> None:
    drawing = Redraws()
    Job(drawing, scene((70, 45)), tmp_path)
    assert drawing.sizes == [(72, 64)]


def test_beyond_the_tile_it_goes_piece_by_piece_and_no_seam_shows(tmp_path: Path) -> None:
    drawing, picture = Redraws(), scene((500, 300))
    job = Job(drawing, picture, tmp_path, tile=200)
    assert len(drawing.sizes) > 4
    assert all(side % 8 == 0 and side <= 200 for size in drawing.sizes for side in size)
    before, after = (np.asarray(p, int) for p in (picture, job.picture))
    assert np.abs(after - (before + 10).clip(0, 255)).max() <= 1
    steps = [(event.step, event.steps) for event in job.of(Progress) if event.phase == "denoise"]
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]


def test_it_goes_piece_by_piece_past_what_memory_holds(tmp_path: Path) -> None:
    drawing = Redraws(room=256 * 256)
    Job(drawing, scene((500, 300)), tmp_path)
    assert len(drawing.sizes) > 1
    assert all(width * height <= 256 * 256 for width, height in drawing.sizes)
    whole = Redraws()
    Job(whole, scene((500, 300)), tmp_path)
    assert whole.sizes == [(504, 304)]


def test_what_is_foretold_is_the_very_piece_that_is_drawn(tmp_path: Path) -> None:
    drawing = Redraws()
    Job(drawing, scene((500, 300)), tmp_path)
    assert drawing.foretold == drawing.drawn


def test_a_cancel_acts_between_pieces(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        Job(Redraws(), scene((500, 300)), tmp_path, tile=200, stop_at=12)
    assert list(tmp_path.glob("*.tmp")) == []


def test_redrawn_and_enlarged_in_one_go(tmp_path: Path, twice: UpscalerSpec) -> None:
    job = Job(Redraws(), scene(), tmp_path, scale=2, upscaler=twice)
    assert job.picture.size == (140, 90)
    assert (job.outcome.path, job.outcome.provider) == ("diffusion", "CPUExecutionProvider")


@pytest.mark.parametrize(
    ("device", "render", "path", "why"),
    [
        ("cpu", RENDER, "onnx", "enhance_no_gpu"),
        ("cuda", RENDER, "diffusion", "enhance_gpu"),
        ("cuda", None, "onnx", "enhance_no_model"),
    ],
)
def test_auto_takes_diffusion_where_there_is_a_gpu_and_a_model(
    tmp_path: Path,
    twice: UpscalerSpec,
    device: str,
    render: RenderSpec | None,
    path: str,
    why: str,
) -> None:
    options = {"device": device, "render": render, "upscaler": twice}
    job = Job(Redraws(), scene(), tmp_path, "auto", **options)
    assert (job.outcome.path, job.outcome.why) == (path, why)
    assert job.picture.size == (70, 45)


def test_the_first_look_comes_before_everything_else(tmp_path: Path) -> None:
    first = Job(Redraws(), scene((400, 200)), tmp_path).events[0]
    assert isinstance(first, Frame)
    assert (first.early, first.width) == (True, 128)


class TestHopeless:
    def test_a_tiny_picture_is_told_its_size(self, tmp_path: Path) -> None:
        with pytest.raises(ImageTiny, match="20×60"):
            Job(Redraws(), scene((20, 60)), tmp_path)

    def test_one_colour_all_over_is_blank(self, tmp_path: Path) -> None:
        with pytest.raises(ImageBlank):
            Job(Redraws(), Image.new("RGB", (200, 200), (30, 90, 200)), tmp_path)

    def test_a_hopeless_blur_is_told_from_a_soft_picture(self, tmp_path: Path) -> None:
        art = Image.open(bundled_lora_folder() / "ink.png").convert("RGB")
        large = art.resize((512, 512), Image.Resampling.LANCZOS)
        Job(Redraws(), large.filter(ImageFilter.GaussianBlur(3)), tmp_path)
        with pytest.raises(ImageBlurred):
            Job(Redraws(), large.filter(ImageFilter.GaussianBlur(24)), tmp_path)

    def test_anyway_works_on_it_all_the_same(self, tmp_path: Path) -> None:
        blank = Image.new("RGB", (200, 200), (30, 90, 200))
        assert Job(Redraws(), blank, tmp_path, anyway=True).picture.size == (200, 200)


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's high-water mark")
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_large_photo_is_not_held_many_times(tmp_path: Path, mode: str) -> None:
    """In a process of its own, where no earlier test left gaps."""
    code = f"from {__name__} import redrawn_in; redrawn_in({str(tmp_path)!r}, {mode!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) < 10 * SIDE**2 + 60 * 2**20


SIDE = 3600


def redrawn_in(folder: str, mode: str) -> None:
    """Tells how many bytes it takes at most to redraw a photo. Decoded it takes four bytes a pixel,
    and three as what is redrawn or comes of it."""
    memory = MainMemory()
    picture = scene((200, 200)).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    picture.close()
    spec = UpscaleSpec(out.getvalue(), 1, UpscalerSpec("net", "nowhere.onnx"), folder)
    engine = CompleteEngine(AsItIs(), threads=1)
    allocator.give_back()
    before = memory.resident()
    with memory.span() as peak:
        job = EnhanceSpec(spec, "diffusion", RENDER, 1024, anyway=True)
        engine.enhance("job", job, lambda event: None, CancelToken())
    sys.stdout.write(str(peak.bytes - before))


class AsItIs(FakeEngine):
    """Gives back what it is given to redraw, at no cost."""

    def render(self, job_id: str, spec: RenderSpec, emit: Any, cancel: CancelToken) -> Rendered:
        data = spec.init_image or b""
        emit(ImageReady(job_id, 0, 1, "image/png", spec.width, spec.height, data, b""))
        return Rendered((), 0.0, 0.0, 0.0, 0.0, 0.0)


def test_a_picture_that_a_check_blocks_is_not_handed_out(tmp_path: Path) -> None:
    checks = CheckSpec(nsfw="block", nsfw_threshold=1e-9)
    with pytest.raises(ContentBlocked, match="nudity") as caught:
        Job(Redraws(), scene(), tmp_path, checks=checks)
    assert caught.value.fields["findings"]
    assert "裸露" in caught.value.message("zh-CN")
    assert list(tmp_path.glob("*.tmp")) == []


@pytest.mark.engine
def test_the_real_engine_redraws_where_there_is_room_to_draw_and_no_more(tmp_path: Path) -> None:
    """A picture of that size, from noise, just fits where it is decoded in tiles."""
    tight = import_module("tests.engine.diffusion.tight")
    laptop, model, side = tight.Laptop(), tight.on("balanced", MODEL), 896
    laptop.load(model)
    from_noise = replace(RENDER, model=model, steps=1, width=side, height=side)
    laptop.limit(laptop.engine.memory(1, from_noise).forecast.peak)
    picture = scene((side, side))
    assert Job(laptop.engine, picture, tmp_path, render=from_noise).picture.size == picture.size


@pytest.mark.engine
def test_the_real_engine_changes_the_picture_by_what_is_asked(tmp_path: Path) -> None:
    engine = import_module("sidecar.engine.diffusion.engine").DiffusionEngine(threads=1)
    odd = Image.open(bundled_lora_folder() / "ink.png").convert("RGB").crop((0, 0, 125, 99))
    differences: list[float] = []
    for strength in (0.1, 0.9):
        job = Job(engine, odd, tmp_path, render=replace(RENDER, strength=strength))
        assert job.picture.size == odd.size
        assert job.outcome.denoise_ms > 0
        differences.append(float(np.abs(np.asarray(job.picture, int) - np.asarray(odd)).mean()))
    assert 0.5 < differences[0] < differences[1] / 2
