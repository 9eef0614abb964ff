"""What else is in the engine's process than networks that draw: ONNX Runtime, and networks of its.

It stays from job to job, and would be taken for the drawing's. So it is measured as it comes: by
how much the process has grown once all that is free went back to the system.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sidecar.engine import allocator
from sidecar.engine.contract import ComponentInfo
from sidecar.engine.cores import thread_count
from sidecar.engine.memory.calibration import Calibration, Estimate, Guess
from sidecar.engine.memory.ram import MainMemory
from sidecar.engine.versions import installed

LIBRARY = "onnxruntime"
LIBRARY_BYTES = 20 * 1024 * 1024
"""Before it was measured."""
STAYS = Guess(ratio=2.0, overhead=10.0, overhead_spread=16.0, ratio_spread=1.0)
"""Of a network's bytes in its file."""


@dataclass(frozen=True)
class Held:
    name: str
    bytes: int


class Beside:
    """Measured by the thread that works, read by any. `main`: this process's memory.

    `calibration`: remembers from run to run; None: only this process does. `changes`: counts what
    came and went, so that whoever measures something else can tell.
    """

    def __init__(
        self, main: MainMemory | None = None, calibration: Calibration | None = None
    ) -> None:
        self.main = main or MainMemory()
        self.changes = 0
        self._calibration = calibration or Calibration(None, "")
        self._held: dict[str, Held] = {}

    @property
    def total(self) -> int:
        return sum(held.bytes for held in self._held.values())

    def infos(self) -> tuple[ComponentInfo, ...]:
        """Without a number format: a library has none, a network may have several."""
        return tuple(
            ComponentInfo(
                place if place == held.name else f"{place}: {held.name}", held.bytes, "", "cpu"
            )
            for place, held in self._held.items()
        )

    def name_in(self, place: str) -> str:
        held = self._held.get(place)
        return held.name if held is not None else ""

    @contextmanager
    def coming(self, place: str, name: str, size: int = 0) -> Generator[bool]:
        """Measures what comes to stay within the block, instead of what had the place before.
        Costs nothing, and gives False, where it is there already. `size`: of a network's file, in
        bytes."""
        former = self._held.get(place)
        if former is not None and former.name == name:
            yield False
            return
        self.changes += 1
        before = self._resident()
        try:
            yield True
        except BaseException:
            self._left(place)
            raise
        grown = self._resident() - before + (former.bytes if former is not None else 0)
        self._held = {**self._held, place: Held(name, max(grown, 0))}
        self._calibration.learn(_staying(place), size, grown)

    def gone(self) -> None:
        """All networks were let go; the library stays."""
        self.changes += 1
        self._held = {place: held for place, held in self._held.items() if place == LIBRARY}

    def to_come(self, place: str, name: str, size: int) -> Estimate:
        """By how much the process will have grown when that network is in that place."""
        former = self._held.get(place)
        if former is not None and former.name == name:
            return Estimate(0, measured=True)
        stays = self._calibration.estimate(_staying(place), size, STAYS)
        library = 0 if LIBRARY in self._held else LIBRARY_BYTES
        return Estimate(stays.bytes + library - (former.bytes if former else 0), stays.measured)

    @contextmanager
    def taking(self, work: str, live: int, besides: int = 0, again: bool = True) -> Generator[None]:
        """Learns what work takes on top of all that is there. Free memory goes back to the system
        before it, which then has more for it, and after it, where it would be taken for something
        else's. `besides`: bytes that are no part of it. `again`: also where it is known."""
        if not again and self._calibration.knows(work, live):
            yield
            allocator.give_back()
            return
        before, changes = self._resident(), self.changes
        with self.main.span() as peak:
            yield
        allocator.give_back()
        if changes == self.changes:
            self._calibration.learn(work, live, peak.bytes - before - besides)

    def takes(self, work: str, live: int, guess: Guess) -> Estimate:
        return self._calibration.estimate(work, live, guess)

    def _left(self, place: str) -> None:
        self._held = {key: held for key, held in self._held.items() if key != place}

    def _resident(self) -> int:
        allocator.give_back()
        return self.main.resident()


def _staying(place: str) -> str:
    return f"staying {place}"


def remembering(drawings: Path | None, threads: int | None) -> Beside:
    """With what earlier runs took, from a file next to the one that remembers `drawings`."""
    path = None if drawings is None else drawings.with_name(f"{drawings.stem}-beside.json")
    versions = [f"{name} {version}" for name, version in installed([LIBRARY]).items()]
    machine = " ".join([sys.platform, platform.machine(), str(thread_count(threads)), *versions])
    return Beside(calibration=Calibration(path, machine))
