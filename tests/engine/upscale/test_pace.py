"""Pieces that take long are told of in between, by the pace that the network had until then."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PIL import Image

from sidecar.engine.contract import CancelToken, UpscalerSpec
from sidecar.engine.pictures.opening import Opened
from sidecar.engine.upscale import attempts, pace
from sidecar.engine.upscale.pace import PARTS, Pace
from sidecar.engine.upscale.upscaler import Upscaler
from tests.engine.upscale.networks import nearest

PATIENCE = 60.0
FACTS = {"scale": "2", "top": "1", "margin": "4", "tile": "240"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "TICK_S", 0.001)


def test_parts_are_told_in_order_up_to_the_last_but_one_and_never_afterwards(
    impatient: None,
) -> None:
    known, told, enough = Pace(), list[int](), threading.Event()
    known.seconds_a_pixel = 0.0001

    def hear(part: int) -> None:
        told.append(part)
        if part == PARTS - 1:
            enough.set()

    with known.ticking(1000, hear):
        assert enough.wait(PATIENCE)
    assert told == sorted(set(told))
    assert told[-1] == PARTS - 1
    assert "pace" not in {thread.name for thread in threading.enumerate()}


def test_the_pace_is_that_of_the_last_piece_and_no_failure_counts() -> None:
    known = Pace()
    with known.learning(100):
        pass
    learned = known.seconds_a_pixel
    assert learned > 0
    with pytest.raises(RuntimeError), known.learning(1):
        raise RuntimeError
    assert known.seconds_a_pixel == learned


def test_a_picture_of_slow_pieces_is_told_in_parts_of_them(
    tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "LONG_S", 0.0)
    heard = enlarged(tmp_path, (600, 200))
    assert [step for step, _ in heard] == sorted(step for step, _ in heard)
    assert {steps for _, steps in heard} == {3 * PARTS}
    assert {PARTS, 2 * PARTS, 3 * PARTS} <= {step for step, _ in heard}
    assert heard[-1] == (3 * PARTS, 3 * PARTS)


def test_one_of_quick_pieces_is_told_piece_by_piece(tmp_path: Path) -> None:
    assert enlarged(tmp_path, (600, 200)) == [(1, 3), (2, 3), (3, 3)]


def test_a_trial_is_made_once_and_only_of_what_is_worth_it(tmp_path: Path) -> None:
    upscaler = Upscaler(1)
    enlarged(tmp_path, (60, 60), upscaler)
    assert not upscaler.pace.wants_trial(10**6)
    assert Pace().wants_trial(200 * 200)
    assert not Pace().wants_trial(100 * 100)


def enlarged(
    folder: Path, size: tuple[int, int], upscaler: Upscaler | None = None
) -> list[tuple[int, int]]:
    """What was told while a picture of that size was enlarged."""
    heard: list[tuple[int, int]] = []
    spec = UpscalerSpec("net", str(nearest(folder / "net.onnx", facts=FACTS)))
    opened = Opened(Image.effect_noise(size, 40).convert("RGB"))
    how = (2, spec, lambda event: None, CancelToken(), lambda *told: heard.append(told))
    (upscaler or Upscaler(1)).enlarge(opened, *how).picture()
    return heard
