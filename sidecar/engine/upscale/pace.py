"""How far a piece is that takes long, by how fast the network was until then.

ONNX Runtime does not say how far a run is, and one piece of a large network takes a minute where
there is no GPU. So its pace is taken at a small corner first, and learned from every piece.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

TRIAL = 48
"""Pixels a side of the corner; tried where a piece has at least `WORTH` times as many pixels."""
WORTH = 16
LONG_S, TICK_S = 2.0, 0.5
"""What takes longer is told of in between, and how often."""
PARTS = 20
"""In which such a piece is told; the last one is told when it is done."""


class Pace:
    """Of one network. `seconds_a_pixel`: 0 before anything was learned."""

    def __init__(self) -> None:
        self.seconds_a_pixel = 0.0

    def wants_trial(self, pixels: int) -> bool:
        return self.seconds_a_pixel == 0.0 and pixels >= WORTH * TRIAL**2

    def expected_s(self, pixels: int) -> float:
        return self.seconds_a_pixel * pixels

    @contextmanager
    def learning(self, pixels: int) -> Generator[None]:
        """Within, that many pixels go through the network; nothing is learned of a failure."""
        began = time.monotonic()
        yield
        self.seconds_a_pixel = (time.monotonic() - began) / pixels

    @contextmanager
    def ticking(self, pixels: int, told: Callable[[int], None]) -> Generator[None]:
        """Within, each new part of `PARTS` is told, from another thread, and never after it."""
        expected, over = self.expected_s(pixels), threading.Event()

        def tick() -> None:
            began, last = time.monotonic(), 0
            while not over.wait(TICK_S):
                part = min(PARTS - 1, int(PARTS * (time.monotonic() - began) / expected))
                if part > last:
                    last = part
                    told(part)

        ticker = threading.Thread(target=tick, name="pace", daemon=True)
        ticker.start()
        try:
            yield
        finally:
            over.set()
            ticker.join()
