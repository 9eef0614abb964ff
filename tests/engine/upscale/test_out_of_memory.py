"""Memory that runs out while enlarging or checking: released, tried once more, then told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sidecar.engine.complete import CompleteEngine
from sidecar.engine.contract import (
    CancelToken,
    CheckSpec,
    EngineWarning,
    EnhanceSpec,
    Enlarging,
    Event,
    ImageReady,
    UpscalerSpec,
    UpscaleSpec,
)
from sidecar.engine.fake import FakeEngine
from sidecar.engine.no_drawing import NoDrawing
from sidecar.engine.upscale import providers
from sidecar.engine.upscale.network import LEAST_SIDE
from sidecar.errors import OutOfMemory
from tests.engine.test_finishing import SPEC
from tests.engine.upscale.faulty import NO_MEMORY, Faults, fake
from tests.engine.upscale.networks import nearest
from tests.engine.upscale.test_upscaler import doubled, drawn, encoded

FACTS = {"scale": "2", "top": "1", "margin": "4", "tile": "120"}
Start = Callable[[CompleteEngine, UpscaleSpec, Callable[[Event], None]], Any]


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch) -> Faults:
    """The CPU alone, and what its runs fail with."""
    return fake(monkeypatch)


@pytest.fixture
def engine() -> CompleteEngine:
    return CompleteEngine(NoDrawing(), threads=1)


@pytest.fixture
def spec(tmp_path: Path) -> UpscaleSpec:
    net = nearest(tmp_path / "twice.onnx", facts=FACTS)
    picture = encoded(drawn(size=(260, 100)))
    return UpscaleSpec(picture, 2, UpscalerSpec("twice", str(net)), str(tmp_path))


def upscale(engine: CompleteEngine, spec: UpscaleSpec, emit: Callable[[Event], None]) -> Any:
    return engine.upscale("job", spec, emit, CancelToken())


def enhance(engine: CompleteEngine, spec: UpscaleSpec, emit: Callable[[Event], None]) -> Any:
    return engine.enhance("job", EnhanceSpec(spec, "onnx", None, 0), emit, CancelToken())


def larger_than(sides: int) -> Callable[[Any], str | None]:
    """Memory for pieces up to that area, and no more."""
    return lambda fed: NO_MEMORY if fed.shape[2] * fed.shape[3] > sides**2 else None


@pytest.mark.parametrize("start", [upscale, enhance])
def test_pieces_are_done_in_halves_and_the_picture_is_the_same(
    cpu: Faults, engine: CompleteEngine, spec: UpscaleSpec, start: Start
) -> None:
    cpu.running[providers.CPU] = larger_than(90)
    events: list[Event] = []
    start(engine, spec, events.append)
    retried = [e.fields for e in events if isinstance(e, EngineWarning)]
    assert [fields["rung"] for fields in retried] == ["70×50"]
    (ready,) = (event for event in events if isinstance(event, ImageReady))
    out = np.asarray(Image.open(ready.file)).astype(int)
    assert np.abs(out - doubled(drawn(size=(260, 100)))).max() <= 1
    failed = [shape for _, shape in cpu.ran if shape[2] * shape[3] > 90**2]
    assert len(failed) == 1, "pieces that follow begin small"


@pytest.mark.parametrize("start", [upscale, enhance])
def test_where_halves_are_too_large_too_it_is_told_what_takes_less(
    cpu: Faults, engine: CompleteEngine, spec: UpscaleSpec, start: Start, tmp_path: Path
) -> None:
    cpu.running[providers.CPU] = larger_than(8)
    before = set(tmp_path.iterdir())
    with pytest.raises(OutOfMemory) as fault:
        start(engine, replace(spec, scale=2), lambda event: None)
    assert len([shape for _, shape in cpu.ran if shape[2] > LEAST_SIDE]) == 2
    assert set(tmp_path.iterdir()) == before
    wire = fault.value.to_wire()["data"]
    assert wire["alternatives"] == [
        "the network “realesr-animevideov3”, which takes less memory",
    ]
    assert "realesr-animevideov3" in wire["hint"]
    assert engine._upscaler.provider == "", "the network is let go"
    cpu.running.clear()
    start(engine, spec, lambda event: None)


def test_a_picture_that_is_enlarged_is_told_of_the_lighter_network(
    cpu: Faults, spec: UpscaleSpec
) -> None:
    cpu.running[providers.CPU] = larger_than(8)
    plan = Enlarging(spec.upscaler, 2, 64, 64, without_gpu_only=False)
    whole = replace(SPEC, width=128, height=128, enlarging=plan)
    with pytest.raises(OutOfMemory) as fault:
        CompleteEngine(FakeEngine(), threads=1).render(
            "job", whole, lambda event: None, CancelToken()
        )
    (way,) = fault.value.to_wire()["data"]["alternatives"]
    assert "realesr-animevideov3" in way


def test_a_lower_scale_is_named_where_there_is_one(
    cpu: Faults, engine: CompleteEngine, tmp_path: Path
) -> None:
    net = nearest(tmp_path / "net.onnx", 4, facts={**FACTS, "scale": "4"})
    upscaler = UpscalerSpec("realesr-animevideov3", str(net))
    cpu.running[providers.CPU] = larger_than(8)
    with pytest.raises(OutOfMemory) as fault:
        upscale(engine, UpscaleSpec(encoded(drawn()), 4, upscaler, str(tmp_path)), lambda _: None)
    assert fault.value.to_wire()["data"]["alternatives"] == ["enlarging 2 times only"]
    assert fault.value.to_wire("zh-CN")["data"]["alternatives"] == ["只放大 2 倍"]


def test_a_network_that_cannot_be_opened_for_want_of_memory_is_not_called_broken(
    cpu: Faults, engine: CompleteEngine, spec: UpscaleSpec
) -> None:
    cpu.opening[providers.CPU] = "Exception during initialization: std::bad_alloc"
    with pytest.raises(OutOfMemory):
        upscale(engine, spec, lambda event: None)


def test_numpys_want_of_memory_is_told_as_such(
    engine: CompleteEngine, spec: UpscaleSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise np._core._exceptions._ArrayMemoryError((1,), np.dtype("uint8"))  # type: ignore[attr-defined]

    monkeypatch.setattr("sidecar.engine.pictures.png_writer.filtered", fails)
    with pytest.raises(OutOfMemory):
        upscale(engine, spec, lambda event: None)


def test_checks_are_done_once_more_with_everything_released(
    cpu: Faults, engine: CompleteEngine, spec: UpscaleSpec
) -> None:
    failures = iter([NO_MEMORY])
    cpu.running[providers.CPU] = lambda fed: next(failures, None)
    events: list[Event] = []
    upscale(engine, replace(spec, checks=CheckSpec(nsfw="warn")), events.append)
    (ready,) = (event for event in events if isinstance(event, ImageReady))
    assert ready.checked.checks == ("nsfw",)
    cpu.running[providers.CPU] = lambda fed: NO_MEMORY
    with pytest.raises(OutOfMemory):
        upscale(engine, replace(spec, checks=CheckSpec(nsfw="warn")), events.append)


LIMITED = """
import resource
import sys

from sidecar.cli.engine import make_engine
from sidecar.engine.contract import CancelToken, EngineWarning, UpscalerSpec, UpscaleSpec
from sidecar.engine.memory.ram import MainMemory
from sidecar.errors import OutOfMemory
from sidecar.paths import upscaler_folder

source, folder, spared_mb = sys.argv[1:]
engine = make_engine("lite", 1)
engine.warm_up()
net = UpscalerSpec("net", str(upscaler_folder() / "realesr-animevideov3.onnx"))
picture = open(source, "rb").read()
heard = []

def run(data):
    engine.upscale("a", UpscaleSpec(data, 2, net, folder), heard.append, CancelToken())

def size():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

run(open(sys.argv[1].replace("large", "small"), "rb").read())
resource.setrlimit(resource.RLIMIT_AS, (size() + int(spared_mb) * 2**20, -1))
try:
    run(picture)
    print("done")
except OutOfMemory:
    print("told")
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
before = MainMemory().resident()
print(sum(isinstance(event, EngineWarning) for event in heard))
run(picture)
print("whole")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize(("spared_mb", "outcome"), [(150, "done 1 whole"), (40, "told 1 whole")])
def test_in_a_process_with_too_little_memory(tmp_path: Path, spared_mb: int, outcome: str) -> None:
    """A piece of 440 pixels takes some 200 MB, one of 220 some 60."""
    for name, side in (("large", 440), ("small", 32)):
        Image.effect_noise((side, side), 40).convert("RGB").save(tmp_path / f"{name}.png")
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "large.png"), str(tmp_path)]
    one_heap = {**os.environ, "MALLOC_ARENA_MAX": "1"}  # each takes 64 MB of addresses
    done = subprocess.run(
        [*command, str(spared_mb)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=one_heap,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == outcome.split()
