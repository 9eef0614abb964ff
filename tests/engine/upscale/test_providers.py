"""Whose fault it is: a provider's, the file's, or a lack of memory; and what is done about it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from sidecar.engine.contract import CancelToken, EngineWarning, Event, UpscalerSpec
from sidecar.engine.pictures.opening import Opened
from sidecar.engine.upscale import providers
from sidecar.engine.upscale.upscaler import Upscaler
from sidecar.errors import Cancelled, ModelCorrupt, ModelUnsupported
from tests.engine.upscale.faulty import CUDA, DIRECTML, LOST, NO_MEMORY, Faults, fake
from tests.engine.upscale.networks import classifier, nearest

FACTS = {"scale": "2", "top": "1", "margin": "4", "tile": "40"}


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Faults:
    return fake(monkeypatch, CUDA)


class Desk:
    """An upscaler, what it told, and networks that repeat pixels."""

    def __init__(self, folder: Path) -> None:
        self.upscaler = Upscaler(1)
        self.folder = folder
        self.told: list[tuple[object, object]] = []
        self.token = CancelToken()

    def spec(self, name: str = "twice") -> UpscalerSpec:
        return UpscalerSpec(name, str(nearest(self.folder / f"{name}.onnx", facts=FACTS)))

    def enlarged(self, spec: UpscalerSpec, width: int = 30) -> np.ndarray:
        """Raises AssertionError when it is not the picture with every pixel twice."""
        picture = Image.effect_noise((width, 30), 50).convert("RGB")
        how = (2, spec, self.emit, self.token, lambda done, pieces: None)
        out = np.asarray(self.upscaler.enlarge(Opened(picture), *how).picture()).astype(int)
        wanted = np.repeat(np.repeat(np.asarray(picture), 2, 0), 2, 1)
        assert np.abs(out - wanted).max() <= 1
        return out

    def emit(self, event: Event) -> None:
        if isinstance(event, EngineWarning) and event.kind == "provider_fallback":
            self.told.append((event.fields["provider"], event.fields["instead"]))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_file_that_no_provider_can_use_is_blamed_on_none(cuda: Faults, desk: Desk) -> None:
    other = UpscalerSpec("other", str(classifier(desk.folder / "other.onnx")))
    with pytest.raises(ModelUnsupported):
        desk.upscaler.load(other, desk.emit, desk.token)
    broken = desk.folder / "broken.onnx"
    broken.write_bytes(b"this is no network")
    with pytest.raises(ModelCorrupt):
        desk.upscaler.load(UpscalerSpec("broken", str(broken)), desk.emit, desk.token)
    desk.enlarged(desk.spec())
    assert desk.upscaler.provider == CUDA
    assert desk.told == []


def test_providers_that_cannot_be_opened_are_left_for_the_first_that_can(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    faults = fake(monkeypatch, CUDA, DIRECTML)
    faults.opening = {CUDA: "no driver", DIRECTML: "no adapter"}
    desk.enlarged(desk.spec())
    assert desk.told == [(CUDA, providers.CPU), (DIRECTML, providers.CPU)]
    faults.opening = {}
    desk.enlarged(desk.spec("other"))
    assert desk.upscaler.provider == providers.CPU
    assert len(desk.told) == 2


def test_a_device_that_is_lost_in_the_middle_of_a_picture_is_given_up_for_good(
    cuda: Faults, desk: Desk
) -> None:
    cuda.running[CUDA] = lambda fed: LOST if len(cuda.ran) > 1 else None
    desk.enlarged(desk.spec(), width=150)
    assert desk.told == [(CUDA, providers.CPU)]
    assert [name for name, _ in cuda.ran][:3] == [CUDA, CUDA, providers.CPU]
    desk.enlarged(desk.spec("other"))
    assert cuda.ran[-1][0] == providers.CPU


def test_a_device_without_memory_is_left_for_this_network_only(cuda: Faults, desk: Desk) -> None:
    cuda.running[CUDA] = lambda fed: NO_MEMORY
    desk.enlarged(desk.spec(), width=150)
    assert desk.upscaler.provider == providers.CPU
    assert desk.told == [(CUDA, providers.CPU)]
    cuda.running.clear()
    desk.enlarged(desk.spec("other"))
    assert desk.upscaler.provider == CUDA


def test_a_run_that_was_cancelled_is_no_fault_of_the_provider(cuda: Faults, desk: Desk) -> None:
    def stopped(fed: object) -> str:
        desk.token.cancel()
        return "Exiting due to terminate flag being set to true."

    cuda.running[CUDA] = stopped
    with pytest.raises(Cancelled):
        desk.enlarged(desk.spec())
    assert desk.told == []


def test_a_cancel_while_a_network_is_opened_is_answered_at_once(
    monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    """Opening the largest one takes seconds, of which ONNX Runtime can end but a part."""
    opening, may_end, told = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        def __init__(self, model: object, options: Any, providers: object) -> None:
            opening.set()
            assert may_end.wait(30)
            raise RuntimeError("MODEL_LOAD_CANCELED")

    class Options(onnxruntime.SessionOptions):
        def set_load_cancellation_flag(self, value: bool) -> None:
            told.set()

    spec = desk.spec()
    monkeypatch.setattr(onnxruntime, "InferenceSession", Slow)
    monkeypatch.setattr(onnxruntime, "SessionOptions", Options)
    threading.Thread(target=lambda: opening.wait(30) and desk.token.cancel(), daemon=True).start()
    with pytest.raises(Cancelled):
        desk.upscaler.load(spec, desk.emit, desk.token)
    assert told.is_set()
    may_end.set()
    monkeypatch.undo()
    desk.token = CancelToken()
    desk.enlarged(spec)
    assert desk.told == []


def test_a_network_that_runs_nowhere_in_the_middle_of_a_picture_is_told_with_the_reason(
    cuda: Faults, desk: Desk
) -> None:
    cuda.running = {name: lambda fed: "Invalid shape" for name in (CUDA, providers.CPU)}
    with pytest.raises(ModelUnsupported, match="Invalid shape"):
        desk.enlarged(desk.spec())


def test_memory_that_cannot_be_had_for_opening_is_not_a_broken_file(
    cuda: Faults, desk: Desk
) -> None:
    cuda.opening = {CUDA: "std::bad_alloc", providers.CPU: "Exception: std::bad_alloc"}
    with pytest.raises(MemoryError):
        desk.upscaler.load(desk.spec(), desk.emit, desk.token)
    cuda.opening = {}
    desk.enlarged(desk.spec())
    assert desk.upscaler.provider == CUDA
    assert desk.told == []
