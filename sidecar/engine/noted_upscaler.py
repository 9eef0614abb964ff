"""`Upscaler`, with the memory noted that its networks bring into the process."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from sidecar.engine.afterwards import UPSCALER
from sidecar.engine.contract import CancelToken, Emit, UpscalerSpec
from sidecar.engine.known_networks import KnownNetworks
from sidecar.engine.memory.beside import Beside
from sidecar.engine.upscale import providers
from sidecar.engine.upscale.network import LEAST_SIDE, Network
from sidecar.engine.upscale.upscaler import Upscaler
from sidecar.errors import NumericalFault

SMALLEST = np.zeros((LEAST_SIDE, LEAST_SIDE, 3), np.float32)


class NotedUpscaler(Upscaler):
    """`networks`: is told what turns out of a network once it is open."""

    def __init__(self, threads: int, beside: Beside, networks: KnownNetworks) -> None:
        super().__init__(threads)
        self._beside = beside
        self._networks = networks

    def load(self, spec: UpscalerSpec, emit: Emit, cancel: CancelToken) -> float:
        path = Path(spec.path)
        size = path.stat().st_size if path.is_file() else 0
        with self._beside.coming(UPSCALER, spec.name, size) as comes:
            took = super().load(spec, emit, cancel)
            if comes and self._network is not None:
                self._networks.opened(spec, self._network.scale, self._network.tile)
                self._run_once(self._network)
        return took

    def _run_once(self, network: Network) -> None:
        """As small as can be: what the first run brings in stays, too. Why one fails is told where
        a picture needs it."""
        with suppress(providers.RunFailed, NumericalFault, MemoryError):
            network(SMALLEST)
        self.give_back()
