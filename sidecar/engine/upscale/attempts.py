"""What happens around each piece: cancel, progress, and another way where it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sidecar.engine import allocator
from sidecar.engine.contract import CancelToken, Emit, EngineWarning, UpscalerSpec
from sidecar.engine.shortage import forget
from sidecar.engine.upscale import providers
from sidecar.engine.upscale.pace import LONG_S, PARTS, TRIAL
from sidecar.engine.upscale.tiles import enlarged_rows, spans
from sidecar.errors import ModelUnsupported, NumericalFault

if TYPE_CHECKING:
    from sidecar.engine.upscale.upscaler import Upscaler

Pixels = NDArray[np.uint8]
OnPiece = Callable[[int, int], None]
"""Called after each piece with how many are done, and how many there are; where one takes long, in
parts of pieces, and also in between from another thread."""

log = logging.getLogger(__name__)


@dataclass
class Attempts:
    """Enlarges the pieces of one picture. A provider that fails is left for the CPU; where that has
    too little memory, this piece and all that follow are done in halves.

    Raises Cancelled, NumericalFault, ModelUnsupported and MemoryError.
    """

    upscaler: Upscaler
    spec: UpscalerSpec
    scale: int
    emit: Emit
    cancel: CancelToken
    on_piece: OnPiece
    pieces: int
    done: int = 0
    parts: int = 0
    in_halves: bool = False

    def __call__(self, pixels: Pixels) -> Pixels:
        self.cancel.check()
        with providers.Stop(self.cancel) as stop:
            self._set_out(pixels, stop)
            with self._telling(pixels):
                out = self._enlarged(pixels, stop)
        self.done += 1
        self._tell(0)
        return out

    def _set_out(self, pixels: Pixels, stop: providers.Stop) -> None:
        """Before the first piece: whether they take so long that it is told how far each is."""
        if self.parts:
            return
        count, pace = pixels.shape[0] * pixels.shape[1], self.upscaler.pace
        if pace.wants_trial(count):
            corner = pixels[:TRIAL, :TRIAL]
            with pace.learning(corner.shape[0] * corner.shape[1]):
                self._enlarged(corner, stop)
        self.parts = PARTS if pace.expected_s(count) > LONG_S else 1

    @contextmanager
    def _telling(self, pixels: Pixels) -> Generator[None]:
        count, pace = pixels.shape[0] * pixels.shape[1], self.upscaler.pace
        with ExitStack() as stack:
            if self.parts > 1 and pace.expected_s(count):
                stack.enter_context(pace.ticking(count, self._tell))
            stack.enter_context(pace.learning(count))
            yield

    def _tell(self, part: int) -> None:
        self.on_piece(self.done * self.parts + part, self.pieces * self.parts)

    def _enlarged(self, pixels: Pixels, stop: providers.Stop) -> Pixels:
        while True:
            try:
                return self._attempt(pixels, stop)
            except (NumericalFault, providers.RunFailed, MemoryError) as exc:
                forget(exc)
                self.cancel.check()
                if self._otherwise(exc, pixels):
                    continue
                if isinstance(exc, NumericalFault):
                    raise NumericalFault(**exc.fields, network=self.spec.name) from exc
                if isinstance(exc, providers.RunFailed):  # though it ran when it was opened
                    raise ModelUnsupported(model=self.spec.name, reason=str(exc)) from exc
                raise

    def _attempt(self, pixels: Pixels, stop: providers.Stop) -> Pixels:
        piece = self.upscaler.piece(self.spec, self.scale, self.emit, stop)
        if not self.in_halves:
            return piece(pixels)
        network = piece.network
        sides = network.smaller_sides(*pixels.shape[:2])
        rows, columns = (
            spans(length, side, network.margin, multiple=network.multiple)
            for length, side in zip(pixels.shape[:2], sides, strict=True)
        )
        return np.concatenate(list(enlarged_rows(pixels, self.scale, rows, columns, piece)))

    def _otherwise(self, exc: Exception, pixels: Pixels) -> bool:
        """Whether there is another way to try."""
        short = isinstance(exc, MemoryError)
        if self.upscaler.use_cpu(self.emit, for_good=not short):
            return True
        if not short or self.in_halves:
            return False
        log.warning("out of memory: %s", exc)
        self.in_halves = True
        self.upscaler.give_back()
        allocator.give_back()
        height, width = (-(-side // 2) for side in pixels.shape[:2])
        self.emit(EngineWarning("memory_retry", {"rung": f"{width}×{height}"}))
        return True
