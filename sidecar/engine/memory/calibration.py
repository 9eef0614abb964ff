"""What earlier runs on this machine took, and from that what the next one will take.

For each kind of work (device, model, phase, rung) a line `taken = overhead + ratio · live` is
fitted to what was measured: `live` is what the networks' own tensors need at once (`activations`),
`taken` is by how much the process really grew. Before the first run a guess stands for both
numbers; it is given up the faster the more has been measured (Bayesian linear regression, Bishop
2006, 3.3).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

VERSION = 2
"""Figures of version 1 had in them what was done with pictures after they were decoded."""
KEPT = 12
"""Measurements kept for each kind of work, one for each `live`."""
MEGABYTE = 1024 * 1024
NOISE, NOISE_FLOOR = 0.03, 4.0
"""Standard deviation of a measurement, as a part of it, and at least so many megabytes."""

Sample = tuple[int, int]
"""(live, taken), bytes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Guess:
    """Before anything was measured: the line, and how sure its numbers are (one deviation).

    The overhead is in megabytes.
    """

    ratio: float = 1.2
    overhead: float = 48.0
    overhead_spread: float = 64.0
    ratio_spread: float = 0.3


GUESS = Guess()


@dataclass(frozen=True)
class Estimate:
    """`measured`: runs of this kind of work were measured here."""

    bytes: int
    measured: bool


class Calibration:
    """Thread-safe. `path`: the file that remembers; None: only this process does.

    `machine`: what figures hold for; those of another machine are forgotten.
    """

    def __init__(self, path: Path | None, machine: str) -> None:
        self._path = path
        self._machine = machine
        self._lock = threading.Lock()
        self._samples = _read(path, machine) if path is not None else {}

    def estimate(self, work: str, live: int, guess: Guess = GUESS) -> Estimate:
        """How many bytes that much live memory will take."""
        with self._lock:
            samples = list(self._samples.get(work, ()))
        for known, taken in samples:
            if known == live:
                return Estimate(taken, measured=True)
        overhead, ratio = _fit(samples, guess)
        taken = round(overhead * MEGABYTE + ratio * live)
        return Estimate(max(taken, live // 2, 1), measured=bool(samples))

    def knows(self, work: str, live: int) -> bool:
        """Whether exactly that was measured."""
        with self._lock:
            return any(known == live for known, _ in self._samples.get(work, ()))

    def learn(self, work: str, live: int, taken: int) -> None:
        """A run of that kind was measured. What is remembered already is not written again."""
        if live <= 0 or taken <= 0:
            return
        with self._lock:
            samples = self._samples.setdefault(work, [])
            former = next((known for known in samples if known[0] == live), None)
            if former is not None and abs(former[1] - taken) < NOISE * taken:
                return
            if former is not None:
                samples.remove(former)
            samples.append((live, taken))
            del samples[:-KEPT]
            document = {"version": VERSION, "machine": self._machine, "samples": self._samples}
            self._write(json.dumps(document).encode())

    def _write(self, data: bytes) -> None:
        """All or nothing. A folder that cannot be written costs the memory of it, nothing else."""
        if self._path is None:
            return
        temporary = self._path.with_name(f".{self._path.name}.{os.urandom(4).hex()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except OSError as exc:
            log.warning("what runs took cannot be remembered: %s", exc)
            with contextlib.suppress(OSError):
                temporary.unlink()


def _fit(samples: Sequence[Sample], guess: Guess) -> tuple[float, float]:
    """Overhead in megabytes, and ratio: the most probable line, by two normal equations."""
    a11, a22, a12 = guess.overhead_spread**-2, guess.ratio_spread**-2, 0.0
    b1, b2 = guess.overhead * a11, guess.ratio * a22
    for live, taken in ((live / MEGABYTE, taken / MEGABYTE) for live, taken in samples):
        sure = 1 / ((NOISE * taken) ** 2 + NOISE_FLOOR**2)
        a11, a12, a22 = a11 + sure, a12 + sure * live, a22 + sure * live * live
        b1, b2 = b1 + sure * taken, b2 + sure * taken * live
    determinant = a11 * a22 - a12 * a12
    return (b1 * a22 - b2 * a12) / determinant, (a11 * b2 - a12 * b1) / determinant


def _read(path: Path, machine: str) -> dict[str, list[Sample]]:
    """What the file remembers; nothing when it is missing, broken, or of another machine."""
    try:
        document = cast("dict[str, Any]", json.loads(path.read_bytes()))
        if document["version"] != VERSION or document["machine"] != machine:
            return {}
        return {str(work): _samples(pairs) for work, pairs in document["samples"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        log.warning("what earlier runs took cannot be read and is forgotten: %s", exc)
        return {}


def _samples(pairs: Any) -> list[Sample]:
    """Raises ValueError or TypeError for anything but pairs of positive whole numbers."""
    samples = [(live, taken) for live, taken in pairs]
    if not all(type(number) is int and number > 0 for pair in samples for number in pair):
        raise ValueError("a measurement is no pair of positive numbers")
    return samples[-KEPT:]
