"""What a picture needs is foretold; what will not fit is refused, with ways that would."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar.engine.contract import Afterwards, CancelToken, Event, ImageReady, ModelSpec
from sidecar.engine.diffusion import render
from sidecar.engine.diffusion.engine import DiffusionEngine
from sidecar.engine.diffusion.lora_room import stack_bytes
from sidecar.engine.diffusion.sample import Drawing, sample
from sidecar.errors import OutOfMemory
from tests.engine.diffusion.drawing import BUNDLED, STARTER, lora, render_spec
from tests.engine.diffusion.fake_cuda import GIGABYTE, fake_cuda
from tests.engine.diffusion.small_models import write_folder
from tests.engine.diffusion.tight import PLENTY, Laptop, on

pytestmark = pytest.mark.engine

LARGE = {"width": 640, "height": 640}
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def one() -> Laptop:
    return Laptop()


@pytest.fixture
def laptop(one: Laptop) -> Laptop:
    """With all the memory it wants, the starter loaded, and its rung left to it."""
    one.limit(PLENTY)
    one.load(on("off"))
    one.load()
    return one


@pytest.fixture
def fresh() -> Laptop:
    """One on which nothing was measured yet, so that its rungs differ as they are guessed to."""
    laptop = Laptop()
    laptop.load()
    return laptop


def test_what_fits_is_drawn_and_the_forecast_says_so(laptop: Laptop) -> None:
    forecast = laptop.forecast()
    assert forecast.fits
    assert forecast.alternatives == ()
    assert forecast.low_vram == "off"
    assert laptop.draw()


def test_larger_pictures_more_at_once_and_guidance_need_more(laptop: Laptop) -> None:
    small, large = laptop.forecast(width=320, height=320), laptop.forecast(**LARGE)
    assert large.peak > small.peak
    assert laptop.forecast(count=4).at_once == 4
    four = laptop.forecast(width=320, height=320, guidance_scale=1.0)
    assert four.peak <= small.peak


def test_a_lora_needs_room_for_pristine_copies(laptop: Laptop) -> None:
    stack = (lora(BUNDLED[0]),)
    own = stack_bytes(stack, 4)
    assert own > BUNDLED[0].stat().st_size
    kept = sum(laptop.resident.merger._weights[layer].nbytes for layer in _touched(laptop))
    assert own == pytest.approx(kept + BUNDLED[0].stat().st_size, rel=0.01)


def _touched(laptop: Laptop) -> list[tuple[str, str]]:
    laptop.draw(loras=(lora(BUNDLED[0]),))
    return list(laptop.resident.merger._pristine)


def test_a_request_that_cannot_fit_is_refused_before_anything_starts(laptop: Laptop) -> None:
    laptop.limit(laptop.forecast(on("off"), **LARGE).peak - MEGABYTE)
    with pytest.raises(OutOfMemory) as refusal:
        laptop.draw(on("off"), **LARGE)
    assert laptop.drawn.events == []
    fields = refusal.value.fields
    assert fields["needed_mb"] >= fields["free_mb"]
    ways = [(way["way"], way["width"], way["upscale"]) for way in fields["alternatives"]]
    assert ways[0] == ("low_vram", 640, 1)
    assert ("smaller_upscaled", 320, 2) in ways
    assert ways.index(("smaller_upscaled", 320, 2)) < [way[0] for way in ways].index("smaller")


def test_every_alternative_really_fits(laptop: Laptop) -> None:
    """Each is taken as soon as it is offered: every picture teaches, also of the others."""
    place, ways = 0, _offered(laptop)
    assert ways
    while place < len(ways):
        way = ways[place]
        size = {key: way[key] for key in ("width", "height", "count")}
        assert way["peak"] <= laptop.device.limit.bytes
        assert laptop.draw(on(way["low_vram"]), **size), way
        place, ways = place + 1, _offered(laptop)


def _offered(laptop: Laptop) -> list[dict[str, Any]]:
    """Instead of a picture that will not fit."""
    laptop.limit(laptop.forecast(on("off"), **LARGE).peak - 64 * MEGABYTE)
    with pytest.raises(OutOfMemory) as refusal:
        laptop.draw(on("off"), **LARGE)
    return refusal.value.fields["alternatives"]


def test_auto_goes_down_the_ladder_by_itself(fresh: Laptop) -> None:
    laptop = fresh
    laptop.limit(laptop.forecast(on("off"), **LARGE).peak - MEGABYTE)
    forecast = laptop.forecast(**LARGE)
    assert forecast.fits
    assert forecast.low_vram == "balanced"
    assert laptop.draw(**LARGE)
    assert laptop.resident.components.rung == "balanced"
    assert laptop.warnings == []


def test_auto_stays_where_it_came_to_until_it_is_asked_for_anew(fresh: Laptop) -> None:
    laptop = fresh
    laptop.limit(laptop.forecast(on("off"), **LARGE).peak - MEGABYTE)
    laptop.draw(**LARGE)
    laptop.draw()
    assert laptop.resident.components.rung == "balanced"
    assert laptop.load(on("off")).rung == "off"
    assert laptop.load(on("auto")).rung == "off"


def test_fewer_at_once_is_simply_done(fresh: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop, small = fresh, {"width": 64, "height": 64}
    laptop.load(on("off"))
    needed = laptop.forecast(on("off"), count=4, width=256, height=256)
    assert needed.at_once == 1, "larger pictures are drawn one by one anyway"
    many = laptop.forecast(on("off"), count=16, **small)
    one = laptop.forecast(on("off"), count=1, **small)
    assert many.at_once == 16
    laptop.limit((many.peak + one.peak) // 2)
    fewer = laptop.forecast(on("off"), count=16, **small)
    assert fewer.fits
    assert fewer.peak <= laptop.device.limit.bytes < many.peak
    assert 1 <= fewer.at_once < many.at_once
    batches: list[int] = []

    def sampled(components: Any, drawing: Drawing, *rest: Any) -> torch.Tensor:
        batches.append(len(drawing.seeds))
        return sample(components, drawing, *rest)

    monkeypatch.setattr(render, "sample", sampled)
    assert len(laptop.draw(on("off"), count=16, **small)) == 16
    assert batches == [fewer.at_once] * (16 // fewer.at_once)
    assert laptop.warnings == []


def test_nothing_that_fits_by_a_wide_margin_is_refused(laptop: Laptop) -> None:
    """Whatever the limit: if it is half as much again as what is really taken, it is drawn."""
    laptop.draw(on("off"), width=320, height=320)
    laptop.limit(laptop.device.main.highest() * 3 // 2)
    assert laptop.draw(on("off"), width=320, height=320)
    assert laptop.warnings == []


def test_a_model_that_cannot_fit_is_refused_unread(tmp_path: Path) -> None:
    folder = write_folder("sdxl", tmp_path / "xl")
    laptop = Laptop()
    laptop.limit(laptop.device.used() + 8 * MEGABYTE)
    with pytest.raises(OutOfMemory) as refusal:
        laptop.load(ModelSpec("xl", str(folder), "sdxl"))
    assert laptop.loadings == []
    assert laptop.resident is None
    assert refusal.value.fields["needed_mb"] > refusal.value.fields["free_mb"]


def test_auto_loads_a_model_on_the_rung_where_its_pictures_fit() -> None:
    laptop = Laptop()
    room = laptop.forecast(on("aggressive"), width=128, height=128).peak
    laptop.limit(room + 8 * MEGABYTE)
    assert laptop.load().rung == "aggressive"
    laptop.limit(2**50)
    assert laptop.load(on("off")).rung == "off"


def test_a_forecast_of_a_model_that_is_not_there_is_none(laptop: Laptop) -> None:
    gone = replace(STARTER, path="/nowhere")
    assert laptop.engine.memory(1, render_spec(model=gone)).forecast is None


def test_on_a_device_of_its_own_the_device_decides_and_weights_move_out() -> None:
    device = fake_cuda(room=GIGABYTE)
    engine = DiffusionEngine(threads=1, device=device)
    spec = render_spec(model=on("off"), width=1024, height=1024)
    whole = engine.memory(1, spec).forecast
    assert whole is not None
    assert whole.device == "cuda"
    lent = engine.memory(1, replace(spec, model=on("balanced"))).forecast
    by_layer = engine.memory(1, replace(spec, model=on("aggressive"))).forecast
    assert lent is not None
    assert by_layer is not None
    assert whole.peak > lent.peak > by_layer.peak


def test_the_figures_of_the_first_run_serve_the_next_engine(tmp_path: Path) -> None:
    file, size = tmp_path / "memory.json", {"width": 384, "height": 384}
    first = Laptop(file)
    assert not first.forecast(**size).measured
    first.draw(**size)
    assert first.forecast(**size).measured
    assert Laptop(file).forecast(**size).measured


def test_what_is_done_with_a_picture_is_not_learned_as_its_drawing() -> None:
    """Whoever is sent a picture may enlarge it on the spot, and take what that takes."""
    figures: list[int] = []
    for held in (0, 400 * MEGABYTE):
        laptop = Laptop()
        laptop.load(on("balanced"))

        def sent(event: Event, held: int = held) -> None:
            if isinstance(event, ImageReady):
                assert torch.ones(held).sum() == held

        job = render_spec(model=on("balanced"), steps=1, width=256, height=256)
        laptop.engine.render("draw", job, sent, CancelToken())
        after = laptop.forecast(on("balanced"), width=256, height=256)
        assert after.measured
        figures.append(after.peak - after.used)
    assert figures[1] < figures[0] + 200 * MEGABYTE


def test_what_others_hold_in_the_process_is_foretold_and_not_learned_as_drawing() -> None:
    laptop, size = Laptop(), {"width": 256, "height": 256}
    laptop.load(on("balanced"))
    laptop.draw(on("balanced"), **size)
    alone, beside = laptop.forecast(on("balanced"), **size), laptop.engine._beside
    with beside.coming("upscaler", "network"):
        held = torch.ones(50 * MEGABYTE)
    together = laptop.forecast(on("balanced"), **size)
    assert together.peak == alone.peak + beside.total
    assert beside.total == pytest.approx(held.nbytes, rel=0.05)
    laptop.draw(on("balanced"), **size)
    assert laptop.forecast(on("balanced"), **size).peak == pytest.approx(together.peak, rel=0.05)


def test_learning_goes_on_beside_others_but_not_while_they_come_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laptop, size = Laptop(), {"width": 192, "height": 192}
    laptop.load(on("off"))
    beside = laptop.engine._beside

    def joined(*given: Any) -> Any:
        with beside.coming("checks", "nsfw"):
            return sample(*given)

    with monkeypatch.context() as patch:
        patch.setattr(render, "sample", joined)
        laptop.draw(on("off"), **size)
    assert not laptop.forecast(on("off"), **size).measured
    laptop.draw(on("off"), **size)
    assert laptop.forecast(on("off"), **size).measured


def test_what_is_done_afterwards_is_part_of_what_must_fit(laptop: Laptop) -> None:
    plain = laptop.forecast(on("off"))
    after = Afterwards(stays=30 * MEGABYTE, takes=2000 * MEGABYTE, measured=False)
    whole = laptop.forecast(on("off"), afterwards=after)
    assert plain.peak + 1000 * MEGABYTE < whole.peak < plain.peak + 2100 * MEGABYTE
    assert not whole.measured
    laptop.limit(whole.peak - MEGABYTE)
    assert laptop.forecast(on("off")).fits
    with pytest.raises(OutOfMemory):
        laptop.draw(on("off"), afterwards=after)


def test_enlarging_is_offered_where_it_fits_with_what_enlarging_takes(laptop: Laptop) -> None:
    """A drawing that fits is no way out when what would enlarge it does not."""
    light, heavy = (
        Afterwards(larger=((2, Afterwards(takes=takes)),)) for takes in (0, 4000 * MEGABYTE)
    )
    # As much as half the size needs, which has the same peak on every rung there is.
    laptop.limit(laptop.forecast(**LARGE).peak - MEGABYTE)

    def offered(after: Afterwards | None) -> set[int]:
        ways = laptop.forecast(on("off"), afterwards=after, **LARGE).alternatives
        return {way.upscale for way in ways if way.way == "smaller_upscaled"}

    assert offered(None) == {2, 4}
    assert offered(light) == {2}
    assert offered(heavy) == set()
