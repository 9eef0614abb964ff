"""How far a job is: one percentage over all phases, weighted by what they took before.

It never goes back, also when the job is repeated on a new engine, and reaches 100 only when told
that everything is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

Clock = Callable[[], float]

ALMOST = 99.0
LEARNING = 0.3
"""Share of the newest measurement in a running mean."""
GUESS_MS = {
    "load": 1500.0,
    "encode": 60.0,
    "denoise": 60.0,
    "decode": 80.0,
    "upscale": 30.0,
    "check": 5.0,
    "save": 25.0,
}
"""Before anything was measured. `denoise`: a step of 128 x 128 pixels."""
REFERENCE_PIXELS = 128 * 128
BY_PIXELS = ("denoise", "decode", "upscale")
IN_PARTS = ("denoise", "upscale")
"""Phases of many steps each, whose first one cannot be told from what came before it."""


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
    return pixels / REFERENCE_PIXELS if phase in BY_PIXELS else 1.0


@dataclass(frozen=True)
class Share:
    """One phase of a job: how many times it is gone through, and with how many pixels."""

    times: int
    pixels: int = 0


def drawing_shares(
    pixels: int, steps: int, count: int, enlarged: int = 0, checked: bool = False
) -> dict[str, Share]:
    """Of `count` pictures of `steps` steps; `enlarged`: pixels of each when it is, else 0."""
    shares = {
        "encode": Share(1),
        "denoise": Share(steps * count, pixels),
        "decode": Share(count, pixels),
        "save": Share(count),
    }
    if enlarged:
        shares["upscale"] = Share(count, enlarged)
    if checked:
        shares["check"] = Share(count)
    return shares


def enlarging_shares(pixels: int) -> dict[str, Share]:
    """Of one picture that is enlarged to that many pixels."""
    return {"upscale": Share(1, pixels), "save": Share(1, pixels)}


@dataclass(frozen=True)
class Shown:
    """What is told: percent of everything, and milliseconds to go (None: not known yet)."""

    percent: float
    eta_ms: float | None


class ProgressMeter:
    """Follows one picture job, which consists of `shares`.

    The engine tells each phase over all pictures of the job; with several batches, phases take
    turns.
    """

    def __init__(
        self,
        weights: PhaseWeights,
        model: str,
        shares: Mapping[str, Share],
        clock: Clock = perf_counter,
    ) -> None:
        self._weights = weights
        self._model = model
        self._shares = shares
        self._clock = clock
        self._expected = {p: share.times * self._expect(p) for p, share in shares.items()}
        self._done = dict.fromkeys(shares, 0.0)
        self._percent = 0.0
        self._last = ("queue", clock())
        self._load_began = clock()
        self._began: tuple[float, float] | None = None

    def advance(self, phase: str, step: int, steps: int) -> Shown:
        """`step` of `steps` of that phase are finished."""
        fraction = min(1.0, step / steps) if steps > 0 else 0.0
        if phase == "load":
            self._loading(fraction)
        elif phase in self._done:
            self._learn(phase, steps)
            self._done[phase] = fraction
        self._last = (phase, self._clock())
        return self._show()

    def picture_saved(self, done: int, save_ms: float) -> Shown:
        """`done` pictures are on disk."""
        self._weights.learn(self._model, "save", self._pixels("save"), save_ms)
        self._done["save"] = done / self._shares["save"].times
        self._last = ("save", self._clock())
        return self._show()

    def finish(self) -> Shown:
        """Everything is done and on disk."""
        self._percent = 100.0
        return Shown(100.0, 0.0)

    # ----------------------------------------------------------------- inside

    def _expect(self, phase: str) -> float:
        return self._weights.expect(self._model, phase, self._pixels(phase))

    def _pixels(self, phase: str) -> int:
        return self._shares[phase].pixels if phase in self._shares else 0

    def _loading(self, fraction: float) -> None:
        """A load counts only when there is one: the model may be resident."""
        if fraction < 1.0 and "load" not in self._expected:
            self._expected["load"] = self._expect("load")
            self._load_began = self._clock()
        if "load" in self._expected:
            if fraction == 1.0 and self._done.get("load", 0.0) < 1.0:
                ms = (self._clock() - self._load_began) * 1000
                self._weights.learn(self._model, "load", 0, ms)
            self._done["load"] = fraction

    def _learn(self, phase: str, steps: int) -> None:
        """From the time since the last news, where that was the phase's own."""
        before, at = self._last
        ms = (self._clock() - at) * 1000
        if phase in IN_PARTS:
            if before != phase and (phase == "denoise" or steps > 1):
                return
            ms *= steps / self._shares[phase].times  # a step may be of several pictures, or of one
        self._weights.learn(self._model, phase, self._pixels(phase), ms)

    def _show(self) -> Shown:
        total = sum(self._expected.values())
        done = sum(ms * self._done.get(phase, 0.0) for phase, ms in self._expected.items())
        percent = min(ALMOST, 100.0 * done / total) if total > 0 else 0.0
        self._percent = max(self._percent, round(percent, 1))
        return Shown(self._percent, self._eta(done, total))

    def _eta(self, done: float, total: float) -> float | None:
        """What is left by expectation, stretched by how the expectation has held so far."""
        now = self._clock()
        if self._began is None or done < self._began[1]:
            self._began = (now, done)
            return None
        began, done_then = self._began
        if done - done_then < 0.05 * total:
            return None
        pace = (now - began) * 1000 / (done - done_then)
        return round(max(0.0, total - done) * pace, 1)
