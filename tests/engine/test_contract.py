"""What every engine must do, checked on the fake one and on the real one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from sidecar.engine.contract import (
    CancelToken,
    Engine,
    Event,
    Frame,
    ImageReady,
    LoraSpec,
    ModelLoading,
    ModelSpec,
    Progress,
    RenderSpec,
)
from sidecar.errors import Cancelled, LoraNotFound
from sidecar.paths import bundled_lora_folder, starter_folder

STARTER = ModelSpec("starter", str(starter_folder()), "starter")
DRAWING = RenderSpec(STARTER, (), "red apple", "", 128, 128, 4, 2.5, "dpmpp_2m", 11)


@pytest.fixture(
    scope="module", params=["fake", pytest.param("diffusion", marks=pytest.mark.engine)]
)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "fake":
        engine: Any = import_module("sidecar.engine.fake").FakeEngine()
    else:
        module = import_module("sidecar.engine.diffusion.engine")
        engine = module.DiffusionEngine(threads=1)
    engine.warm_up()
    yield engine
    engine.unload_model()


class Job:
    """Runs one render and keeps its events. `stop_at`: cancel when that many were emitted."""

    def __init__(self, engine: Engine, spec: RenderSpec, stop_at: int = 0) -> None:
        self.events: list[Event] = []
        self.token = CancelToken()
        self._stop_at = stop_at
        self.outcome = engine.render("job", spec, self._emit, self.token)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        if len(self.events) == self._stop_at:
            self.token.cancel()

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def images(self) -> list[ImageReady]:
        return self.of(ImageReady)


def some_lora(count: int = 1) -> tuple[LoraSpec, ...]:
    files = sorted(bundled_lora_folder().glob("*.safetensors"))
    if len(files) < count:
        pytest.skip("no bundled LoRA files")
    return tuple(LoraSpec(path.stem, str(path), 0.7) for path in files[:count])


def ignore(event: Event) -> None:
    pass


def test_warming_up_names_versions_device_and_samplers(engine: Engine) -> None:
    warm = engine.warm_up()
    assert warm.versions
    assert warm.device
    assert {"dpmpp_2m", "euler", "ddim", "unipc", "lcm"} <= set(warm.samplers)


def test_a_loaded_model_tells_its_parts_and_loading_again_is_no_work(engine: Engine) -> None:
    engine.unload_model()
    events: list[Event] = []
    first = engine.load_model("a", STARTER, events.append, CancelToken())
    assert first.family == "starter"
    assert sum(part.bytes for part in first.components) > 0
    percents = [event.percent for event in events if isinstance(event, ModelLoading)]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    events.clear()
    engine.load_model("b", STARTER, events.append, CancelToken())
    assert events == []


def test_the_same_job_gives_the_same_picture(engine: Engine) -> None:
    assert Job(engine, DRAWING).images[0].data == Job(engine, DRAWING).images[0].data


def test_other_seeds_give_other_pictures(engine: Engine) -> None:
    other = replace(DRAWING, seed=12)
    assert Job(engine, DRAWING).images[0].data != Job(engine, other).images[0].data


def test_pictures_come_in_order_with_their_seeds_and_size(engine: Engine) -> None:
    images = Job(engine, replace(DRAWING, count=3)).images
    assert [image.index for image in images] == [0, 1, 2]
    assert [image.seed for image in images] == [11, 12, 13]
    assert all((image.width, image.height) == (128, 128) for image in images)
    assert all(image.data.startswith(b"\x89PNG") for image in images)
    assert all(image.thumbnail[8:12] == b"WEBP" for image in images)


def test_a_repeated_job_skips_what_is_finished(engine: Engine) -> None:
    images = Job(engine, replace(DRAWING, count=3, seed_offset=2)).images
    assert [(image.index, image.seed) for image in images] == [(2, 13)]


def test_each_phase_counts_up_to_its_end(engine: Engine) -> None:
    told = Job(engine, replace(DRAWING, count=2)).of(Progress)
    for phase in ("encode", "denoise", "decode"):
        steps = [(event.step, event.steps) for event in told if event.phase == phase]
        assert steps, phase
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]


def test_looks_come_early_and_only_when_asked_for(engine: Engine) -> None:
    frames = Job(engine, replace(DRAWING, frame_every=2)).of(Frame)
    assert frames[0].early
    assert frames[0].step == 1
    none = replace(DRAWING, frame_every=0, thumbnail_px=0)
    assert Job(engine, none).of(Frame) == []


@pytest.mark.parametrize("stop_at", [1, 3, 5])
def test_a_cancelled_job_stops_without_a_picture_and_the_next_one_is_whole(
    engine: Engine, stop_at: int
) -> None:
    whole = Job(engine, DRAWING).images[0].data
    with pytest.raises(Cancelled):
        Job(engine, DRAWING, stop_at=stop_at)
    assert Job(engine, DRAWING).images[0].data == whole


def test_a_stack_changes_the_picture_and_none_brings_it_back(engine: Engine) -> None:
    plain = Job(engine, DRAWING).images[0].data
    styled = Job(engine, replace(DRAWING, loras=some_lora()))
    assert styled.images[0].data != plain
    assert styled.outcome.loras[0].name == some_lora()[0].name
    assert len(styled.outcome.loras[0].sha256) == 64
    assert Job(engine, DRAWING).images[0].data == plain


def test_a_receipt_names_what_was_applied(engine: Engine) -> None:
    stack = some_lora(2)
    receipt = engine.apply_loras("a", STARTER, stack, ignore, CancelToken())
    assert [(lora.name, lora.alpha) for lora in receipt.loras] == [(s.name, 0.7) for s in stack]
    assert 0 < receipt.matched_keys <= receipt.total_keys
    assert receipt.relative_delta > 0
    assert engine.apply_loras("b", STARTER, stack, ignore, CancelToken()).cached
    empty = engine.apply_loras("c", STARTER, (), ignore, CancelToken())
    assert empty.loras == ()
    assert empty.relative_delta == 0


def test_a_failed_switch_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    styled = replace(DRAWING, loras=some_lora())
    before = Job(engine, styled).images[0].data
    gone = (*some_lora(), LoraSpec("gone", str(tmp_path / "gone.safetensors"), 1.0))
    with pytest.raises(LoraNotFound):
        engine.apply_loras("a", STARTER, gone, ignore, CancelToken())
    assert Job(engine, styled).images[0].data == before


def test_memory_is_reported_and_unloading_gives_it_back(engine: Engine) -> None:
    engine.load_model("a", STARTER, ignore, CancelToken())
    report = engine.memory(9)
    assert report.ticket == 9
    assert report.rss > 0
    assert report.components
    assert engine.unload_model().freed_bytes > 0
    assert engine.memory(10).components == ()
    assert engine.unload_model().freed_bytes == 0
