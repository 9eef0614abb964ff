"""Upscale jobs in the engine, without torch: pictures as people have them, progress, cancel."""

from __future__ import annotations

import io
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageDraw

from sidecar.engine.complete import CompleteEngine
from sidecar.engine.contract import (
    CancelToken,
    Event,
    Frame,
    ImageReady,
    ModelSpec,
    Progress,
    RenderSpec,
    UpscalerSpec,
    UpscaleSpec,
)
from sidecar.engine.no_drawing import NoDrawing
from sidecar.engine.pictures.opening import Opened
from sidecar.engine.upscale.network import open_network
from sidecar.engine.upscale.pieces import Piece
from sidecar.engine.upscale.tiles import enlarged_rows, spans
from sidecar.engine.upscale.upscaler import Upscaler
from sidecar.errors import (
    Cancelled,
    EngineMissing,
    ImageTooLarge,
    ImageUnreadable,
    ModelUnsupported,
    NumericalFault,
    StorageFault,
)
from sidecar.paths import upscaler_folder
from tests.engine.upscale.networks import blurring, nearest, patterned

COMPACT = UpscalerSpec("realesr-animevideov3", str(upscaler_folder() / "realesr-animevideov3.onnx"))
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def engine() -> CompleteEngine:
    return CompleteEngine(NoDrawing(), threads=1)


@pytest.fixture
def twice(tmp_path: Path) -> UpscalerSpec:
    """A network that repeats pixels: what goes in can be told from what comes out."""
    return UpscalerSpec("twice", str(nearest(tmp_path / "twice.onnx")))


class Job:
    """One upscale job, its events and the picture that came out. `stop_at`: cancel there."""

    def __init__(
        self,
        engine: CompleteEngine,
        data: bytes,
        folder: Path,
        upscaler: UpscalerSpec,
        scale: int = 2,
        stop_at: int = 0,
    ) -> None:
        self.events: list[Event] = []
        self._token = CancelToken()
        self._stop_at = stop_at
        spec = UpscaleSpec(data, scale, upscaler, str(folder))
        self.outcome = engine.upscale("job", spec, self._emit, self._token)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Progress) and event.step == self._stop_at:
            self._token.cancel()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def picture(self) -> Image.Image:
        (ready,) = self.of(ImageReady)
        image = Image.open(ready.file)
        assert image.size == (ready.width, ready.height)
        return image


def encoded(picture: Image.Image, how: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, how, **options)
    return out.getvalue()


def drawn(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Flat art: a disc, a bar and a slanted line."""
    picture = Image.new("RGB", size, (240, 230, 220))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((size[0] // 5, size[1] // 5, size[0] // 2, size[1] // 2), (200, 30, 40))
    draw.rectangle((0, size[1] * 2 // 3, size[0], size[1] * 3 // 4), (30, 60, 160))
    slanted = (size[0] // 10, size[1] // 10, size[0] * 9 // 10, size[1] // 2)
    draw.line(slanted, (20, 20, 20), max(1, size[0] // 60))
    return picture.convert(mode)


def doubled(picture: Image.Image) -> np.ndarray:
    return np.repeat(np.repeat(np.asarray(picture), 2, 0), 2, 1)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_every_kind_of_channels_comes_back_as_it_was(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec, mode: str
) -> None:
    picture = drawn(mode)
    out = Job(engine, encoded(picture), tmp_path, twice).picture
    assert out.mode == mode
    assert np.abs(np.asarray(out).astype(int) - doubled(picture)).max() <= 1


def test_a_palette_and_a_bitmap_are_read_as_what_they_show(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    palette = drawn().quantize(8)
    out = Job(engine, encoded(palette), tmp_path, twice).picture
    assert np.abs(np.asarray(out).astype(int) - doubled(palette.convert("RGB"))).max() <= 1
    bitmap = drawn().convert("1")
    out = Job(engine, encoded(bitmap), tmp_path, twice).picture
    assert (np.asarray(out) == doubled(bitmap.convert("L"))).all()


def test_a_transparent_palette_keeps_its_transparency(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    palette = drawn().quantize(8)
    data = encoded(palette, transparency=palette.getpixel((0, 0)))
    out = Job(engine, data, tmp_path, twice).picture
    assert out.mode == "RGBA"
    assert out.getpixel((0, 0))[3] == 0
    assert out.getpixel((30, 20))[3] == 255


def test_sixteen_bits_are_scaled_and_not_cut_off(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    ramp = np.tile(np.linspace(0, 65535, 64, dtype=np.uint16), (16, 1))
    out = Job(engine, encoded(Image.fromarray(ramp)), tmp_path, twice).picture
    row = np.asarray(out)[0, ::2].astype(int)
    assert np.abs(row - np.linspace(0, 255, 64)).max() <= 1


def test_a_picture_that_was_taken_upright_comes_back_upright(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to the right to see it upright
    picture = drawn()
    out = Job(engine, encoded(picture, exif=exif), tmp_path, twice).picture
    upright = picture.transpose(Image.Transpose.ROTATE_270)
    assert np.abs(np.asarray(out).astype(int) - doubled(upright)).max() <= 1
    assert out.getexif().get(0x0112) is None


def test_the_colour_profile_is_kept_and_cmyk_becomes_rgb(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    out = Job(engine, encoded(drawn(), icc_profile=ICC), tmp_path, twice).picture
    assert out.info["icc_profile"] == ICC
    cmyk = encoded(drawn("CMYK"), "JPEG", quality=95)
    out = Job(engine, cmyk, tmp_path, twice).picture
    assert out.mode == "RGB"
    assert np.abs(np.asarray(out).astype(int) - doubled(drawn())).mean() < 10


def test_what_lies_under_transparency_does_not_shine_through_edges(
    engine: CompleteEngine, tmp_path: Path
) -> None:
    """A red disc on nothing: under the nothing is green, and no green may come out."""
    picture = Image.new("RGBA", (48, 48), (0, 255, 0, 0))
    ImageDraw.Draw(picture).ellipse((10, 10, 38, 38), (220, 20, 20, 255))
    out = np.asarray(Job(engine, encoded(picture), tmp_path, COMPACT).picture).astype(int)
    seen = out[out[:, :, 3] > 8]
    assert seen[:, 1].max() < 90
    assert out[0, 0, 3] == 0
    assert out[48, 48, 3] > 250


def test_the_first_look_comes_before_any_progress_and_is_128_pixels(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    job = Job(engine, encoded(drawn(size=(400, 200))), tmp_path, twice)
    frame = job.events[0]
    assert isinstance(frame, Frame)
    assert (frame.early, frame.width, frame.height) == (True, 128, 64)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_small_looks_are_in_srgb_whatever_the_picture_is_in(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec, mode: str
) -> None:
    """By a profile that calls green what others call red."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")
    red = Image.new("RGB", (200, 100), (230, 0, 0)).convert(mode)
    job = Job(engine, encoded(red, icc_profile=swapped), tmp_path, twice)
    assert job.picture.info["icc_profile"] == swapped
    assert job.picture.convert("RGB").getpixel((200, 100)) == (230, 0, 0)
    looks = [job.of(Frame)[0].data, job.of(ImageReady)[0].thumbnail]
    for look in looks:
        shown = Image.open(io.BytesIO(look)).convert("RGB").getpixel((40, 20))
        assert shown[0] < 60 < 180 < shown[1]


def test_a_small_look_at_grey_is_grey_whatever_its_profile_says(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    grey = Image.new("L", (64, 64), 120)
    profile = b"\0" * 16 + b"GRAY" + b"\0" * 200
    job = Job(engine, encoded(grey, icc_profile=profile), tmp_path, twice)
    shown = Image.open(io.BytesIO(job.of(Frame)[0].data)).convert("RGB").getpixel((40, 40))
    assert max(abs(value - 120) for value in shown) < 6


def test_progress_counts_pieces_and_cancel_acts_between_them(
    engine: CompleteEngine, tmp_path: Path
) -> None:
    facts = {"scale": "2", "top": "1", "margin": "4", "tile": "40"}
    small = UpscalerSpec("small", str(nearest(tmp_path / "small.onnx", facts=facts)))
    folder = tmp_path / "out"
    folder.mkdir()
    job = Job(engine, encoded(drawn(size=(150, 100))), folder, small)
    steps = [event.step for event in job.of(Progress)]
    assert steps == list(range(1, job.of(Progress)[0].steps + 1))
    assert len(steps) > 6
    before = set(folder.iterdir())
    with pytest.raises(Cancelled):
        Job(engine, encoded(drawn(size=(150, 100))), folder, small, stop_at=3)
    assert set(folder.iterdir()) == before


def test_a_cancel_stops_a_network_in_the_middle_of_a_piece(
    engine: CompleteEngine, tmp_path: Path
) -> None:
    """One piece of that size through the largest network takes minutes; it is not finished."""
    slow = UpscalerSpec("slow", str(upscaler_folder() / "realesrgan-x4plus.onnx"))
    upscaler = Upscaler(1)
    upscaler.load(slow, lambda event: None, CancelToken())
    token = CancelToken()
    opened = Opened(Image.effect_noise((200, 200), 40).convert("RGB"))
    told: list[float] = []

    def on_piece(done: int, pieces: int) -> None:
        told.append(done / pieces)

    enlarged = upscaler.enlarge(opened, 4, slow, _ignored, token, on_piece)
    threading.Timer(0.5, token.cancel).start()
    with pytest.raises(Cancelled):
        next(enlarged.rows)
    assert 1.0 not in told


def _ignored(event: Event) -> None:
    pass


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_bundled_network_gives_every_scale_and_sharper_than_bicubic(
    engine: CompleteEngine, tmp_path: Path, scale: int
) -> None:
    """Flat art with smooth edges, made small and enlarged again."""
    large = drawn(size=(768 * scale, 768 * scale)).resize([96 * scale] * 2, Image.Resampling.BOX)
    small = large.resize((96, 96), Image.Resampling.BICUBIC)
    out = Job(engine, encoded(small), tmp_path, COMPACT, scale).picture
    smooth = small.resize(large.size, Image.Resampling.BICUBIC)
    assert psnr(out, large) > psnr(smooth, large) + 0.5


def test_tiled_and_untiled_differ_by_a_level_at_most() -> None:
    network = open_network(Path(COMPACT.path), COMPACT.name, 1, lambda *_: None)
    dice = np.random.default_rng(5)
    noisy = np.asarray(drawn(size=(120, 100))).astype(int) + dice.integers(-20, 20, (100, 120, 3))
    pixels = noisy.clip(0, 255).astype(np.uint8)
    piece = Piece(network, COMPACT.name, 4)
    rows, columns = (spans(side, 64, network.margin) for side in pixels.shape[:2])
    assert (len(rows), len(columns)) == (3, 4) or len(rows) * len(columns) > 4
    tiled = np.concatenate(list(enlarged_rows(pixels, 4, rows, columns, piece)))
    assert np.abs(tiled.astype(int) - piece(pixels)).max() <= 1


@pytest.mark.parametrize("name", ["realesrgan-x4plus-anime", "realesrgan-x4plus"])
def test_networks_that_see_far_differ_by_a_level_at_most_too(name: str) -> None:
    """A strip with detail of every size, as photographs have it."""
    network = open_network(upscaler_folder() / f"{name}.onnx", name, 2, lambda *_: None)
    pixels = _detailed(24, 260)
    piece = Piece(network, name, 4)
    rows, columns = spans(24, 200, network.margin), spans(260, 200, network.margin)
    assert (len(rows), len(columns)) == (1, 2)
    tiled = np.concatenate(list(enlarged_rows(pixels, 4, rows, columns, piece)))
    assert np.abs(tiled.astype(int) - piece(pixels)).max() <= 1


def _detailed(height: int, width: int) -> np.ndarray:
    dice = np.random.default_rng(6)
    sizes = [(max(2, width // n), max(2, height // n)) for n in (32, 16, 8, 4, 2, 1)]
    octaves = [
        Image.fromarray(dice.integers(0, 256, (rows, columns, 3), np.uint8)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        for columns, rows in sizes
    ]
    weights = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
    return np.tensordot(weights, np.stack([np.asarray(o) for o in octaves]), 1).astype(np.uint8)


def test_a_measured_margin_makes_tiled_and_untiled_the_same(tmp_path: Path) -> None:
    network = open_network(blurring(tmp_path / "net.onnx", 9), "net", 1, lambda *_: None)
    pixels = np.random.default_rng(4).integers(0, 255, (150, 170, 3), np.uint8)
    piece = Piece(network, "net", 2)
    rows, columns = (spans(side, 80, network.margin) for side in pixels.shape[:2])
    tiled = np.concatenate(list(enlarged_rows(pixels, 2, rows, columns, piece)))
    assert np.abs(tiled.astype(int) - piece(pixels)).max() <= 1


def test_a_network_that_sees_in_steps_sees_the_same_ones_in_pieces(
    engine: CompleteEngine, tmp_path: Path
) -> None:
    spec = UpscalerSpec("net", str(patterned(tmp_path / "net.onnx")))
    picture = drawn(size=(501, 443))
    job = Job(engine, encoded(picture), tmp_path, spec)
    assert job.of(Progress)[-1].steps > 4
    network = open_network(Path(spec.path), "net", 1, lambda *_: None)
    whole = Piece(network, "net", 2)(np.asarray(picture))
    assert np.abs(np.asarray(job.picture).astype(int) - whole).max() <= 1


def test_a_scale_beyond_the_network_is_refused_with_what_it_can(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    with pytest.raises(ModelUnsupported, match="2 times, not 4"):
        Job(engine, encoded(drawn()), tmp_path, twice, scale=4)


def test_a_black_result_is_a_fault_and_leaves_no_file(
    engine: CompleteEngine, tmp_path: Path
) -> None:
    facts = {"scale": "2", "top": "1", "margin": "8"}
    dark = nearest(tmp_path / "dark.onnx", steps=[("Mul", {"inputs": ["dark"]})], facts=facts)
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(NumericalFault, match="“dark” made no picture") as fault:
        Job(engine, encoded(drawn()), folder, UpscalerSpec("dark", str(dark)))
    assert "another network" in fault.value.hint()
    assert list(folder.iterdir()) == []


def test_what_cannot_be_read_or_written_is_told(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    with pytest.raises(ImageUnreadable):
        Job(engine, encoded(drawn())[:60], tmp_path, twice)
    with pytest.raises(StorageFault):
        Job(engine, encoded(drawn()), tmp_path / "nowhere", twice)
    huge = Image.new("1", (9000, 9000))
    with pytest.raises(ImageTooLarge):
        Job(engine, encoded(huge), tmp_path, twice, scale=2)


def test_a_picture_too_large_for_a_scale_is_told_which_one_takes_it(
    engine: CompleteEngine, tmp_path: Path, twice: UpscalerSpec
) -> None:
    for side, hint in ((5000, "scale: 3 takes it"), (8000, "scale: 2 "), (9000, "Make it smaller")):
        with pytest.raises(ImageTooLarge) as refusal:
            Job(engine, encoded(Image.new("1", (side, side))), tmp_path, twice, scale=4)
        assert refusal.value.hint().startswith(hint)


def test_an_engine_without_torch_says_so_when_asked_to_draw(engine: CompleteEngine) -> None:
    assert engine.warm_up().samplers == ()
    model = ModelSpec("starter", "nowhere", "starter")
    spec = RenderSpec(model, (), "red apple", "", 128, 128, 4, 2.5, "dpmpp_2m", 1)
    with pytest.raises(EngineMissing, match="torch"):
        engine.render("job", spec, lambda event: None, CancelToken())


def psnr(one: Image.Image, other: Image.Image) -> float:
    error = np.asarray(one.convert("RGB"), float) - np.asarray(other.convert("RGB"), float)
    return float(10 * np.log10(255.0**2 / np.mean(error**2)))
