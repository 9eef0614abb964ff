"""How far a job is: one percentage over all phases, weighted by what they took before.

It never goes back, also when the job is repeated on a new engine, and reaches 100 only when told
that everything is done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

Clock = Callable[[], float]

ALMOST = 99.0
LEARNING = 0.3
"""Share of the newest measurement in a running mean."""
GUESS_MS = {"load": 1500.0, "encode": 60.0, "denoise": 60.0, "decode": 80.0, "save": 25.0}
"""Before anything was measured. `denoise`: a step of 128 x 128 pixels."""
REFERENCE_PIXELS = 128 * 128


class PhaseWeights:
    """Milliseconds of each phase, learned per model; denoise and decode per pixel count."""

    def __init__(self) -> None:
        self._mean: dict[tuple[str, str], float] = {}

    def expect(self, model: str, phase: str, pixels: int) -> float:
        mean = self._mean.get((model, phase), GUESS_MS.get(phase, 0.0))
        return mean * _scale(phase, pixels)

    def learn(self, model: str, phase: str, pixels: int, ms: float) -> None:
        measured = ms / _scale(phase, pixels)
        key = (model, phase)
        former = self._mean.get(key, measured)
        self._mean[key] = former + LEARNING * (measured - former)


def _scale(phase: str, pixels: int) -> float:
    return pixels / REFERENCE_PIXELS if phase in ("denoise", "decode") else 1.0


@dataclass(frozen=True)
class Shown:
    """What is told: percent of everything, and milliseconds to go (None: not known yet)."""

    percent: float
    eta_ms: float | None


class ProgressMeter:
    """Follows one picture job of `count` pictures, `steps` steps each."""

    def __init__(
        self,
        weights: PhaseWeights,
        model: str,
        pixels: int,
        steps: int,
        count: int,
        clock: Clock = perf_counter,
    ) -> None:
        self._weights = weights
        self._model = model
        self._pixels = pixels
        self._count = count
        self._clock = clock
        self._percent = 0.0
        self._finished = 0
        self._phase = "queue"
        self._phase_began = clock()
        self._work_began: float | None = None
        self._at_work_began = 0.0
        self._expected = {p: weights.expect(model, p, pixels) for p in ("encode", "decode", "save")}
        self._expected["denoise"] = weights.expect(model, "denoise", pixels) * steps
        self._loads = 0.0

    def advance(self, phase: str, step: int, steps: int) -> Shown:
        """`step` of `steps` of that phase are finished."""
        now = self._clock()
        if phase != self._phase:
            if phase == "load" and not self._loads:
                self._loads = self._weights.expect(self._model, "load", self._pixels)
            self._phase, self._phase_began = phase, now
        fraction = min(1.0, step / steps) if steps > 0 else 0.0
        if step >= steps > 0:
            self._learn(phase, (now - self._phase_began) * 1000, steps)
        return self._show(self._done_ms(phase, fraction), now)

    def picture_saved(self, save_ms: float) -> Shown:
        """One more picture is on disk."""
        self._weights.learn(self._model, "save", self._pixels, save_ms)
        self._finished += 1
        self._phase = "save"
        return self._show(self._done_ms("save", 0.0), self._clock())

    def finish(self) -> Shown:
        """Everything is done and on disk."""
        self._percent = 100.0
        return Shown(100.0, 0.0)

    @property
    def percent(self) -> float:
        return self._percent

    # ----------------------------------------------------------------- inside

    def _learn(self, phase: str, ms: float, steps: int) -> None:
        each = ms / steps if phase == "denoise" else ms
        if phase in GUESS_MS:
            self._weights.learn(self._model, phase, self._pixels, each)

    def _per_picture(self) -> float:
        return self._expected["denoise"] + self._expected["decode"] + self._expected["save"]

    def _total_ms(self) -> float:
        return self._loads + self._expected["encode"] + self._count * self._per_picture()

    def _done_ms(self, phase: str, fraction: float) -> float:
        if phase == "queue":
            return 0.0
        if phase == "load":
            return self._loads * fraction
        expected = self._expected
        done = self._loads + self._finished * self._per_picture()
        if phase == "encode":
            return done + expected["encode"] * fraction
        done += expected["encode"]
        if phase == "denoise":
            return done + expected["denoise"] * fraction
        if phase == "decode":
            return done + expected["denoise"] + expected["decode"] * fraction
        return done

    def _show(self, done_ms: float, now: float) -> Shown:
        total = self._total_ms()
        percent = min(ALMOST, 100.0 * done_ms / total) if total > 0 else 0.0
        self._percent = max(self._percent, round(percent, 1))
        return Shown(self._percent, self._eta(done_ms, total, now))

    def _eta(self, done_ms: float, total: float, now: float) -> float | None:
        """What is left by expectation, stretched by how the expectation has held so far."""
        if self._work_began is None or done_ms < self._at_work_began:
            self._work_began, self._at_work_began = now, done_ms
            return None
        expected = done_ms - self._at_work_began
        if expected < 0.05 * total:
            return None
        pace = (now - self._work_began) * 1000 / expected
        return round(max(0.0, total - done_ms) * pace, 1)
