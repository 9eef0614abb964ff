"""Pictures between the drawing engine and whoever waits for them: enlarged, checked, blurred."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from sidecar.engine.checks.nsfw import NsfwCheck
from sidecar.engine.complete import CompleteEngine
from sidecar.engine.contract import (
    CancelToken,
    CheckSpec,
    EnhanceSpec,
    Enlarging,
    Event,
    Frame,
    ImageReady,
    ModelSpec,
    Progress,
    Rendered,
    RenderSpec,
    UpscalerSpec,
    UpscaleSpec,
)
from sidecar.engine.fake import FakeEngine
from sidecar.engine.no_drawing import NoDrawing
from sidecar.errors import Cancelled, ModelUnsupported
from sidecar.paths import bundled_lora_folder, check_model, starter_folder
from tests.engine.upscale.networks import nearest

MODEL = ModelSpec("starter", str(starter_folder()), "starter")
SPEC = RenderSpec(MODEL, (), "red apple", "", 128, 96, 4, 2.5, "dpmpp_2m", 11, frame_every=2)


class Draws(FakeEngine):
    """A fake that draws the picture it is given, whatever is asked for."""

    def __init__(self, picture: Image.Image | None = None) -> None:
        super().__init__()
        self.picture = picture
        self.sizes: list[tuple[int, int]] = []

    def render(self, job_id: str, spec: RenderSpec, emit: Any, cancel: CancelToken) -> Rendered:
        self.sizes.append((spec.width, spec.height))

        def swapped(event: Event) -> None:
            if isinstance(event, ImageReady) and self.picture is not None:
                event = replace(event, data=encoded(self.picture.resize((spec.width, spec.height))))
            emit(event)

        return super().render(job_id, spec, swapped, cancel)


def encoded(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def with_code(text: str, side: int = 400) -> Image.Image:
    """A page with a QR code in its lower right corner."""
    page = Image.new("RGB", (side, side), "white")
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    code = Image.fromarray(np.asarray(zxingcpp.write_barcode_to_image(made, scale=4)))
    page.paste(code.convert("RGB"), (side - code.width - 10, side - code.height - 20))
    return page


def with_writing(text: str) -> Image.Image:
    page = Image.new("RGB", (480, 320), (250, 246, 238))
    draw = ImageDraw.Draw(page)
    draw.ellipse((40, 60, 200, 220), (200, 40, 40))
    draw.text((180, 250), text, (20, 20, 20), font_size=36)
    return page


MODULE, BARS_LEFT = 3, 50
DIGITS = [
    "0001101",
    "0011001",
    "0010011",
    "0111101",
    "0100011",
    "0110001",
    "0101111",
    "0111011",
    "0110111",
    "0001011",
]
PARITIES = [
    "LLLLLL",
    "LLGLGG",
    "LLGGLG",
    "LLGGGL",
    "LGLLGG",
    "LGGLLG",
    "LGGGLL",
    "LGLGLG",
    "LGLGGL",
    "LGGLGL",
]


def with_bars(number: str) -> Image.Image:
    """A page with an EAN-13 (GS1 General Specifications, 5.2)."""

    def of(digit: str, kind: str) -> str:
        left = DIGITS[int(digit)]
        right = "".join("10"[int(bit)] for bit in left)
        return {"L": left, "R": right, "G": right[::-1]}[kind]

    lead, first, second = PARITIES[int(number[0])], number[1:7], number[7:]
    left = "".join(of(digit, kind) for digit, kind in zip(first, lead, strict=True))
    bits = f"101{left}01010{''.join(of(digit, 'R') for digit in second)}101"
    page = Image.new("RGB", (400, 300), "white")
    draw = ImageDraw.Draw(page)
    for place, bit in enumerate(bits):
        x = BARS_LEFT + place * MODULE
        draw.rectangle((x, 90, x + MODULE - 1, 190), "black" if bit == "1" else "white")
    return page


def by_the_authors_recipe(picture: Image.Image) -> float:
    """As `classify_nsfw.py` of yahoo/open_nsfw has it: 256 pixels, through JPEG, the middle 224,
    each pixel blue, green, red less its mean. The second output is the one that is not safe."""
    through = io.BytesIO()
    picture.resize((256, 256), Image.Resampling.BILINEAR).save(through, "JPEG")
    whole = np.array(Image.open(through)).astype(np.float64)
    fed = np.empty((1, 224, 224, 3), np.float32)
    for place, (channel, mean) in enumerate([(2, 104.0), (1, 117.0), (0, 123.0)]):
        fed[0, :, :, place] = whole[16:240, 16:240, channel] - mean
    session = onnxruntime.InferenceSession(str(check_model("open-nsfw")))
    safe, unsafe = session.run(None, {session.get_inputs()[0].name: fed})[0][0]
    assert safe + unsafe == pytest.approx(1.0, abs=1e-3)
    return float(unsafe)


@pytest.fixture
def twice(tmp_path: Path) -> UpscalerSpec:
    return UpscalerSpec("twice", str(nearest(tmp_path / "twice.onnx")))


class Run:
    def __init__(
        self, drawing: Draws, spec: RenderSpec, stop_at: str = "", device: str = "cpu"
    ) -> None:
        self.events: list[Event] = []
        self._token = CancelToken()
        self._stop_at = stop_at
        engine = CompleteEngine(drawing, threads=1)
        engine.warm_up()
        engine._device = device
        self.outcome = engine.render("job", spec, self._emit, self._token)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Progress) and event.phase == self._stop_at:
            self._token.cancel()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def images(self) -> Iterator[Image.Image]:
        return (Image.open(io.BytesIO(event.data)) for event in self.of(ImageReady))


class TestEnlarging:
    def spec(self, twice: UpscalerSpec, **plan: Any) -> RenderSpec:
        size = {"width": 64, "height": 64, "without_gpu_only": True, **plan}
        return replace(SPEC, width=120, height=128, enlarging=Enlarging(twice, 2, **size))

    def test_it_is_drawn_small_enlarged_and_cut_from_the_middle(self, twice: UpscalerSpec) -> None:
        half = Image.new("RGB", (64, 64), "red")
        half.paste("blue", (32, 0, 64, 64))
        drawing = Draws(half)
        run = Run(drawing, self.spec(twice))
        assert drawing.sizes == [(64, 64)]
        (image,) = run.images
        assert image.size == (120, 128)
        assert image.getpixel((59, 5)) == (255, 0, 0)
        assert image.getpixel((60, 5)) == (0, 0, 255)
        (ready,) = run.of(ImageReady)
        assert (ready.width, ready.height, ready.enlarged) == (120, 128, 2)
        assert run.outcome.upscale_ms > 0
        assert ready.thumbnail

    def test_with_a_gpu_a_plan_for_machines_without_one_does_not_hold(
        self, twice: UpscalerSpec
    ) -> None:
        drawing = Draws()
        run = Run(drawing, self.spec(twice), device="cuda")
        assert drawing.sizes == [(120, 128)]
        assert run.of(ImageReady)[0].enlarged == 1
        asked_for = Draws()
        Run(asked_for, self.spec(twice, without_gpu_only=False), device="cuda")
        assert asked_for.sizes == [(64, 64)]

    @pytest.mark.parametrize(
        ("scale", "drawn", "enlarged"), [(4, 64, 4), (3, 128, 2), (2, 128, 2), (1, 256, 1)]
    )
    def test_a_plan_yields_to_what_the_network_can_do(
        self, tmp_path: Path, scale: int, drawn: int, enlarged: int
    ) -> None:
        net = UpscalerSpec("net", str(nearest(tmp_path / "net.onnx", scale)))
        plan = Enlarging(net, 4, 64, 64, without_gpu_only=True)
        drawing = Draws()
        run = Run(drawing, replace(SPEC, width=256, height=250, enlarging=plan))
        (ready,) = run.of(ImageReady)
        assert drawing.sizes == [(drawn, 250 if scale == 1 else drawn)]
        assert (ready.width, ready.height, ready.enlarged) == (256, 250, enlarged)

    def test_one_that_was_asked_for_and_cannot_be_is_refused_before_anything_is_drawn(
        self, twice: UpscalerSpec
    ) -> None:
        plan = Enlarging(twice, 4, 64, 64, without_gpu_only=False)
        drawing = Draws()
        with pytest.raises(ModelUnsupported, match="2 times, not 4"):
            Run(drawing, replace(SPEC, width=256, height=256, enlarging=plan))
        assert drawing.sizes == []

    def test_progress_goes_on_over_all_pictures(self, twice: UpscalerSpec) -> None:
        run = Run(Draws(), replace(self.spec(twice), count=3))
        told = [(e.step, e.steps) for e in run.of(Progress) if e.phase == "upscale"]
        assert told == [(1, 3), (2, 3), (3, 3)]

    def test_a_cancel_while_enlarging_ends_it(self, twice: UpscalerSpec) -> None:
        with pytest.raises(Cancelled):
            Run(Draws(), replace(self.spec(twice), count=2), stop_at="upscale")


class TestChecks:
    def test_a_code_is_found_where_it_is_and_what_it_says(self) -> None:
        picture = with_code("https://casino.example/win")
        spec = replace(SPEC, width=400, height=400, checks=CheckSpec(codes="warn"))
        (ready,) = Run(Draws(picture), spec).of(ImageReady)
        (found,) = ready.checked.found
        assert (found.kind, found.text) == ("qr_code", "https://casino.example/win")
        left, top, width, height = found.box
        assert left + width <= 400
        assert left > 200
        assert top > 200
        assert width == pytest.approx(height, abs=3)
        assert not ready.checked.blocked

    def test_a_blocked_picture_is_blurred_and_no_look_at_it_gets_out(self) -> None:
        picture = with_code("https://casino.example/win")
        spec = replace(SPEC, width=400, height=400, checks=CheckSpec(codes="block"))
        run = Run(Draws(picture), spec)
        (ready,) = run.of(ImageReady)
        assert ready.checked.blocked
        assert run.of(Frame) == []
        (image,) = run.images
        assert image.size == (400, 400)
        assert zxingcpp.read_barcodes(np.asarray(image)) == []
        assert np.abs(np.diff(np.asarray(image.convert("L")).astype(int))).max() < 20

    def test_without_blocking_looks_go_out_as_ever(self) -> None:
        assert Run(Draws(), replace(SPEC, checks=CheckSpec(codes="warn"))).of(Frame)

    @pytest.mark.parametrize(
        ("text", "kind"), [("SAMPLE TEXT", "text"), ("www.stock-art.com", "address")]
    )
    def test_writing_is_read_and_addresses_are_told_apart(self, text: str, kind: str) -> None:
        spec = replace(SPEC, width=480, height=320, checks=CheckSpec(text="warn"))
        (ready,) = Run(Draws(with_writing(text)), spec).of(ImageReady)
        (found,) = ready.checked.found
        assert found.kind == kind
        assert found.text.replace(" ", "").lower()[:9] == text.replace(" ", "").lower()[:9]
        left, top, width, height = found.box
        assert 160 < left < 200
        assert 235 < top < 265
        assert width > 150
        assert 25 < height < 80

    def test_harmless_pictures_raise_nothing(self) -> None:
        checks = CheckSpec(nsfw="block", codes="block", text="block")
        picture = with_writing("")
        spec = replace(SPEC, width=480, height=320, checks=checks)
        (ready,) = Run(Draws(picture), spec).of(ImageReady)
        assert ready.checked.found == ()
        assert ready.checked.checks == ("nsfw", "codes", "text")
        (image,) = Run(Draws(picture), spec).images
        assert np.array_equal(np.asarray(image), np.asarray(picture))

    def test_a_bar_code_is_found_and_read(self) -> None:
        """Of the kind that groceries have, drawn by its specification."""
        spec = replace(SPEC, width=400, height=300, checks=CheckSpec(codes="warn"))
        (ready,) = Run(Draws(with_bars("4006381333931")), spec).of(ImageReady)
        (found,) = ready.checked.found
        assert (found.kind, found.text) == ("bar_code", "4006381333931")
        left, _, width, _ = found.box
        assert left == pytest.approx(BARS_LEFT, abs=6)
        assert width == pytest.approx(95 * MODULE, abs=12)

    def test_the_score_of_nudity_is_that_of_the_networks_authors(self) -> None:
        """The right one of two outputs, and colours in the right order: swapped ones give 0.17."""
        picture = Image.open(bundled_lora_folder() / "night.png").convert("RGB")
        score = NsfwCheck(1).score(picture)
        assert score == pytest.approx(by_the_authors_recipe(picture), abs=0.005)
        assert score == pytest.approx(0.056, abs=0.01)

    def test_the_threshold_decides_about_nudity(self) -> None:
        picture = Image.open(bundled_lora_folder() / "night.png").convert("RGB")
        drawing, spec = Draws(picture), replace(SPEC, width=128, height=128)
        checks = CheckSpec(nsfw="warn", nsfw_threshold=0.04)
        (ready,) = Run(drawing, replace(spec, checks=checks)).of(ImageReady)
        assert [found.check for found in ready.checked.found] == ["nsfw"]
        assert ready.checked.found[0].score == pytest.approx(0.056, abs=0.01)
        lenient = replace(checks, nsfw_threshold=0.08)
        (ready,) = Run(drawing, replace(spec, checks=lenient)).of(ImageReady)
        assert ready.checked.found == ()


class TestBoxes:
    """Of what is found in a picture that is sent in: they fit the picture that comes out."""

    @pytest.mark.parametrize(("how", "scale"), [("upscale", 2), ("enhance", 2), ("enhance", 1)])
    def test_a_box_is_where_the_code_is_in_the_picture_that_comes_out(
        self, twice: UpscalerSpec, tmp_path: Path, how: str, scale: int
    ) -> None:
        engine, events = CompleteEngine(NoDrawing(), threads=1), list[Event]()
        page = encoded(with_code("https://casino.example/win"))
        spec = UpscaleSpec(page, scale, twice, str(tmp_path), CheckSpec(codes="warn"))
        if how == "upscale":
            engine.upscale("job", spec, events.append, CancelToken())
        else:
            enhancing = EnhanceSpec(spec, "onnx", None, 0)
            engine.enhance("job", enhancing, events.append, CancelToken())
        (ready,) = (event for event in events if isinstance(event, ImageReady))
        (found,) = ready.checked.found
        out = Image.open(ready.file)
        assert out.size == (400 * scale, 400 * scale)
        (there,) = zxingcpp.read_barcodes(np.asarray(out.convert("L")))
        corner, opposite = there.position.top_left, there.position.bottom_right
        wanted = (corner.x, corner.y, opposite.x - corner.x, opposite.y - corner.y)
        assert found.box == pytest.approx(wanted, abs=2 * scale)
