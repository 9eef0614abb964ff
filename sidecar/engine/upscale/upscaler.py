"""`Upscaler`: enlarges pictures, keeps the network that was used last."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.engine.contract import CancelToken, Emit, EngineWarning, UpscalerSpec
from sidecar.engine.known_networks import Key, key_of
from sidecar.engine.pictures.opening import CHANNELS, Opened
from sidecar.engine.shortage import forget
from sidecar.engine.upscale import providers
from sidecar.engine.upscale.attempts import Attempts, OnPiece
from sidecar.engine.upscale.network import Network, open_network
from sidecar.engine.upscale.pace import Pace
from sidecar.engine.upscale.pieces import Piece, under_transparency
from sidecar.engine.upscale.tiles import enlarged_rows, spans

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Enlarged:
    """A picture on its way: `rows` yields it from top to bottom as it is computed."""

    width: int
    height: int
    channels: int
    pieces: int
    rows: Generator[Pixels]

    def picture(self) -> Image.Image:
        """The whole of it in memory, for pictures of moderate size."""
        pixels = np.concatenate(list(self.rows))
        return Image.fromarray(pixels[:, :, 0] if self.channels == 1 else pixels)


class Upscaler:
    """`threads`: as many as there are cores, where None."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._network: Network | None = None
        self._key: Key | None = None
        self._refused: set[str] = set()
        self._full: set[str] = set()
        """Providers whose device had no memory left for the network in use."""
        self.pace = Pace()

    @property
    def provider(self) -> str:
        """The execution provider in use; "" before the first picture."""
        return self._network.provider if self._network is not None else ""

    @property
    def scale(self) -> int:
        """Times that the network in use enlarges; 1 before one is loaded."""
        return self._network.scale if self._network is not None else 1

    def load(self, spec: UpscalerSpec, emit: Emit, cancel: CancelToken) -> float:
        """Make the network ready; the milliseconds that took.

        Raises AssetMissing, ModelCorrupt, ModelUnsupported or Cancelled.
        """
        started = time.perf_counter()
        with providers.Stop(cancel) as stop:
            self._ready(spec, emit, stop)
        return (time.perf_counter() - started) * 1000

    def unload(self) -> None:
        self._network = self._key = None
        self._full.clear()
        self.pace = Pace()

    def give_back(self) -> None:
        """Free what the network took beside its weights."""
        if self._network is not None:
            self._network.give_back()

    def enlarge(
        self,
        opened: Opened,
        scale: int,
        spec: UpscalerSpec,
        emit: Emit,
        cancel: CancelToken,
        on_piece: OnPiece,
    ) -> Enlarged:
        """Nothing is computed before `rows` is read, and then a strip at a time.

        Raises Cancelled between pieces, NumericalFault when a result is no picture, and MemoryError
        when there is too little of it for smaller pieces, too.
        """
        picture = under_transparency(opened.picture) if opened.has_alpha else opened.picture
        pixels = Opened(picture).pixels
        with providers.Stop(cancel) as stop:
            network = self._ready(spec, emit, stop)
        height, width = pixels.shape[:2]
        tall, wide = network.piece_sides(height, width)
        rows = spans(height, tall, network.margin, multiple=network.multiple)
        columns = spans(width, wide, network.margin, multiple=network.multiple)
        pieces = len(rows) * len(columns)
        job = Attempts(self, spec, scale, emit, cancel, on_piece, pieces)
        return Enlarged(
            width=picture.width * scale,
            height=picture.height * scale,
            channels=CHANNELS[picture.mode],
            pieces=pieces,
            rows=self._given_back(enlarged_rows(pixels, scale, rows, columns, job)),
        )

    def piece(self, spec: UpscalerSpec, scale: int, emit: Emit, stop: providers.Stop) -> Piece:
        return Piece(self._ready(spec, emit, stop), spec.name, scale, stop)

    def use_cpu(self, emit: Emit, for_good: bool) -> bool:
        """Give up the provider in use; False when that is the CPU already. `for_good`: also for
        other networks."""
        if self.provider in ("", providers.CPU):
            return False
        self._fell_back(emit)(self.provider, providers.CPU, for_good)
        self._network = None
        self.pace = Pace()
        return True

    def _given_back(self, rows: Generator[Pixels]) -> Generator[Pixels]:
        """The same; however they end, the memory that the network took is free afterwards."""
        try:
            yield from rows
        except Exception as exc:
            forget(exc)
            if isinstance(exc, MemoryError):
                self.unload()
            raise
        finally:
            self.give_back()

    def _ready(self, spec: UpscalerSpec, emit: Emit, stop: providers.Stop) -> Network:
        key = key_of(spec.path)
        if self._key != key:
            self.unload()
            self._key = key
        if self._network is None:
            avoided = self._refused | self._full
            usable = [name for name in providers.available() if name not in avoided]
            told = self._fell_back(emit)
            self._network = open_network(
                Path(spec.path), spec.name, self._threads, told, usable, stop
            )
        return self._network

    def _fell_back(self, emit: Emit) -> providers.FellBack:
        def told(provider: str, instead: str, for_good: bool) -> None:
            avoided = self._refused if for_good else self._full
            if provider not in avoided:
                avoided.add(provider)
                fields: dict[str, object] = {"provider": provider, "instead": instead}
                emit(EngineWarning("provider_fallback", fields))

        return told
