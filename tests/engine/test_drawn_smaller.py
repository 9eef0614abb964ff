"""A picture that is drawn smaller and then enlarged: what it takes, and what would fit instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.engine.complete import CompleteEngine
from sidecar.engine.contract import (
    Alternative,
    CancelToken,
    Enlarging,
    MemoryReport,
    RenderSpec,
    UpscalerSpec,
)
from sidecar.engine.fake import FakeEngine
from sidecar.errors import ModelUnsupported, OutOfMemory
from tests.engine.test_finishing import SPEC
from tests.engine.upscale.networks import nearest


class Full(FakeEngine):
    """A fake without memory: refuses, with all the ways there are for a picture of that size."""

    def ways(self, spec: RenderSpec) -> tuple[Alternative, ...]:
        def way(kind: str, times: int) -> Alternative:
            size = (spec.width // times, spec.height // times)
            return Alternative(kind, *size, spec.count, "balanced", times, 1)

        smaller = replace(way("smaller", 1), width=spec.width - 64, height=spec.height - 64)
        upscaled = (way("smaller_upscaled", 2), way("smaller_upscaled", 4))
        return (way("low_vram", 1), *upscaled, smaller)

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        report = super().memory(ticket, planned)
        assert planned is not None
        assert report.forecast is not None
        forecast = replace(report.forecast, fits=False, alternatives=self.ways(planned))
        return replace(report, forecast=forecast)

    def render(self, job_id: str, spec: RenderSpec, emit: Any, cancel: CancelToken) -> Any:
        raise OutOfMemory(alternatives=[vars(way) for way in self.ways(spec)])


def planned(upscaler: UpscalerSpec, side: int, factor: int) -> RenderSpec:
    drawn = -(-side // (8 * factor)) * 8
    plan = Enlarging(upscaler, factor, drawn, drawn, without_gpu_only=True)
    return replace(SPEC, width=side, height=side, enlarging=plan)


def offered(engine: CompleteEngine, spec: RenderSpec) -> list[tuple[str, int, int]]:
    """Way, side and times of what is offered; the same whether it is asked or drawn."""
    forecast = engine.memory(1, spec).forecast
    assert forecast is not None
    with pytest.raises(OutOfMemory) as refusal:
        engine.render("job", spec, lambda event: None, CancelToken())
    told = [Alternative(**way) for way in refusal.value.fields["alternatives"]]
    assert told == list(forecast.alternatives)
    return [(way.way, way.width, way.upscale) for way in told]


@pytest.fixture
def net(tmp_path: Path) -> UpscalerSpec:
    return UpscalerSpec("net", str(nearest(tmp_path / "net.onnx", 4)))


@pytest.fixture
def engine() -> CompleteEngine:
    engine = CompleteEngine(Full(), threads=1)
    engine.warm_up()
    return engine


def test_ways_are_told_in_terms_of_the_whole_picture(
    engine: CompleteEngine, net: UpscalerSpec
) -> None:
    assert offered(engine, planned(net, 1024, 2)) == [
        ("low_vram", 512, 2),
        ("smaller_upscaled", 256, 4),
        ("smaller", 448, 2),
    ]


def test_what_is_enlarged_four_times_is_not_enlarged_more(
    engine: CompleteEngine, net: UpscalerSpec
) -> None:
    assert offered(engine, planned(net, 2048, 4)) == [("low_vram", 512, 4), ("smaller", 448, 4)]


def test_no_way_is_offered_that_the_network_does_not_reach(
    engine: CompleteEngine, tmp_path: Path
) -> None:
    twice = UpscalerSpec("twice", str(nearest(tmp_path / "twice.onnx", 2)))
    with pytest.raises(OutOfMemory) as refusal:
        engine.render("job", planned(twice, 1024, 2), lambda event: None, CancelToken())
    ways = [(way["way"], way["upscale"]) for way in refusal.value.fields["alternatives"]]
    assert ways == [("low_vram", 2), ("smaller", 2)]


def test_what_would_be_enlarged_to_another_size_is_not_offered_as_that_size(
    engine: CompleteEngine, net: UpscalerSpec
) -> None:
    assert "smaller_upscaled" not in [way for way, *_ in offered(engine, planned(net, 1016, 2))]


def test_on_a_gpu_it_is_foretold_at_its_full_size(
    engine: CompleteEngine, net: UpscalerSpec
) -> None:
    engine._device = "cuda"
    assert ("smaller_upscaled", 512, 2) in offered(engine, planned(net, 1024, 2))


@pytest.mark.engine
def test_every_way_the_real_engine_offers_fits_when_it_is_taken(net: UpscalerSpec) -> None:
    from tests.engine.diffusion.tight import Laptop, on

    laptop = Laptop()
    laptop.load(on("off"))
    engine = CompleteEngine(laptop.engine, threads=1, beside=laptop.engine._beside)
    engine.warm_up()
    spec = replace(planned(net, 1024, 2), model=on("off"), steps=1)
    first = engine.memory(1, spec).forecast
    assert first is not None
    drawn = laptop.forecast(on("off"), width=512, height=512, guidance_scale=2.5).peak
    assert drawn < first.peak < drawn + 100 * 2**20, "it is drawn small, with a network beside it"
    laptop.limit(first.peak - 2**20)
    refused = engine.memory(1, spec).forecast
    assert refused is not None
    assert not refused.fits
    ways = {(way.way, way.upscale) for way in refused.alternatives}
    assert ways == {("low_vram", 2), ("smaller_upscaled", 4), ("smaller", 2)}
    for way in refused.alternatives:
        plan = replace(spec.enlarging, factor=way.upscale, width=way.width, height=way.height)
        size = {"width": way.width * way.upscale, "height": way.height * way.upscale}
        taken = replace(spec, model=on(way.low_vram), enlarging=plan, **size)
        again = engine.memory(1, taken).forecast
        assert again is not None
        assert again.fits, way


class Asked(FakeEngine):
    """Notes what it is asked to foretell and to draw."""

    def __init__(self) -> None:
        super().__init__()
        self.foretold: list[RenderSpec | None] = []
        self.drawn: list[RenderSpec] = []

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        self.foretold.append(planned)
        return super().memory(ticket, planned)

    def render(self, job_id: str, spec: RenderSpec, emit: Any, cancel: CancelToken) -> Any:
        self.drawn.append(spec)
        return super().render(job_id, spec, emit, cancel)


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize(
    ("scale", "drawn"), [(4, (64, 64)), (3, (128, 128)), (2, (128, 128)), (1, (256, 256))]
)
def test_what_is_foretold_is_what_will_be_drawn_whatever_the_network_can_do(
    tmp_path: Path, scale: int, drawn: tuple[int, int], said: bool
) -> None:
    """Also of a network that was never opened, and whose file does not tell its scale."""
    facts = {"scale": str(scale)} if said else None
    net = UpscalerSpec("net", str(nearest(tmp_path / "net.onnx", scale, facts=facts)))
    drawing = Asked()
    engine = CompleteEngine(drawing, threads=1)
    engine.warm_up()
    plan = Enlarging(net, 4, 64, 64, without_gpu_only=True)
    spec = replace(SPEC, width=256, height=256, enlarging=plan)
    assert engine.memory(1, spec).forecast is not None
    engine.render("job", spec, lambda event: None, CancelToken())
    (foretold,) = drawing.foretold
    (rendered,) = drawing.drawn
    assert foretold is not None
    assert (foretold.width, foretold.height) == (rendered.width, rendered.height) == drawn


def test_a_network_that_cannot_do_what_was_asked_for_is_not_foretold_but_refused(
    tmp_path: Path,
) -> None:
    twice = UpscalerSpec("twice", str(nearest(tmp_path / "twice.onnx", 2)))
    engine = CompleteEngine(Asked(), threads=1)
    plan = Enlarging(twice, 4, 64, 64, without_gpu_only=False)
    spec = replace(SPEC, width=256, height=256, enlarging=plan)
    assert engine.memory(1, spec).forecast is None
    with pytest.raises(ModelUnsupported):
        engine.render("job", spec, lambda event: None, CancelToken())
