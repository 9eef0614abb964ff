"""One honest percentage: it never goes back, and 100 is the last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.jobs.progress import (
    PhaseWeights,
    ProgressMeter,
    drawing_shares,
    enlarging_shares,
)

PIXELS = 128 * 128


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def meter(weights: PhaseWeights, clock: Clock, steps: int = 10, count: int = 1) -> ProgressMeter:
    return ProgressMeter(weights, "starter", drawing_shares(PIXELS, steps, count), clock)


def draw(progress: ProgressMeter, clock: Clock, step_ms: float, steps: int = 10) -> list[float]:
    """One picture at that pace; the percentages told."""
    told = [progress.advance("encode", 1, 1).percent]
    for step in range(1, steps + 1):
        clock.now += step_ms / 1000
        told.append(progress.advance("denoise", step, steps).percent)
    clock.now += 0.01
    told.append(progress.advance("decode", 1, 1).percent)
    progress.picture_saved(1, 10.0)
    told.append(progress.finish().percent)
    return told


events = st.lists(
    st.tuples(
        st.sampled_from(["load", "encode", "denoise", "decode", "queue"]),
        st.integers(0, 20),
        st.integers(0, 20),
        st.floats(0, 5),
    ),
    max_size=50,
)


@given(events)
def test_it_never_goes_back_and_stays_below_100_until_the_end(
    told: list[tuple[str, int, int, float]],
) -> None:
    clock = Clock()
    progress = meter(PhaseWeights(), clock)
    last = 0.0
    for phase, step, steps, wait in told:
        clock.now += wait
        shown = progress.advance(phase, step, steps)
        assert last <= shown.percent < 100
        assert shown.eta_ms is None or shown.eta_ms >= 0
        last = shown.percent
    assert progress.finish().percent == 100


def test_a_repeated_job_goes_on_where_it_was() -> None:
    clock = Clock()
    progress = meter(PhaseWeights(), clock)
    for step in range(1, 6):
        reached = progress.advance("denoise", step, 10).percent
    assert progress.advance("load", 0, 100).percent == reached
    assert progress.advance("denoise", 1, 10).percent == reached


def test_weights_are_learned_from_what_phases_took() -> None:
    clock, weights = Clock(), PhaseWeights()
    for _ in range(20):
        draw(meter(weights, clock), clock, step_ms=200)
    told = draw(meter(weights, clock), clock, step_ms=200)
    assert told[5] == pytest.approx(50, abs=3)


def test_the_time_to_go_is_right_once_the_pace_is_known() -> None:
    clock, weights = Clock(), PhaseWeights()
    for _ in range(20):
        draw(meter(weights, clock), clock, step_ms=200)
    progress = meter(weights, clock)
    progress.advance("encode", 1, 1)
    for step in range(1, 6):
        clock.now += 0.4
        shown = progress.advance("denoise", step, 10)
    assert shown.eta_ms == pytest.approx(2000, rel=0.15)


def test_loading_counts_only_when_there_is_something_to_load() -> None:
    clock = Clock()
    resident, cold = meter(PhaseWeights(), clock), meter(PhaseWeights(), clock)
    resident.advance("load", 1, 1)
    cold.advance("load", 10, 100)
    cold.advance("load", 100, 100)
    assert resident.advance("encode", 1, 1).percent < cold.advance("encode", 1, 1).percent


def test_a_larger_picture_is_expected_to_take_longer() -> None:
    weights = PhaseWeights()
    weights.learn("starter", "denoise", PIXELS, 10)
    assert weights.expect("starter", "denoise", 4 * PIXELS) == pytest.approx(40)


def test_an_enlarged_picture_counts_its_enlarging_by_what_it_took_before() -> None:
    clock = Clock()
    weights = PhaseWeights()
    enlarged = 4 * PIXELS
    for _ in range(20):
        progress = ProgressMeter(weights, "net", enlarging_shares(enlarged), clock)
        for piece in range(1, 5):
            clock.now += 0.5
            progress.advance("upscale", piece, 4)
        progress.picture_saved(1, 100.0)
    assert weights.expect("net", "upscale", enlarged) == pytest.approx(2000.0, rel=0.01)
    shares = drawing_shares(PIXELS, 10, 1, enlarged=enlarged, checked=True)
    told = ProgressMeter(weights, "net", shares, clock)
    drawn = told.advance("denoise", 10, 10).percent
    halfway = told.advance("upscale", 2, 4).percent
    assert told.advance("upscale", 4, 4).percent > halfway > drawn
    rest = told.advance("upscale", 4, 4).percent - halfway
    assert halfway - drawn == pytest.approx(rest, abs=0.3)
