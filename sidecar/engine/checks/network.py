"""A check's network: opened when it is first needed, on the CPU, where it takes milliseconds."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.engine.upscale import providers
from sidecar.paths import check_model

Floats = NDArray[np.float32]


class CheckNetwork:
    """One input, one output. Raises AssetMissing or ModelCorrupt when it cannot be opened."""

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads

    def __call__(self, values: Floats) -> Floats:
        feeds = {self._session.get_inputs()[0].name: np.ascontiguousarray(values)}
        return np.asarray(providers.run(self._session, feeds), np.float32)

    def give_back(self) -> None:
        """Free what the runs took."""
        if "_session" in vars(self):
            providers.give_back(self._session)

    def fact(self, name: str) -> str:
        """Out of the file's metadata; "" where it is not there."""
        facts: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return facts.get(name, "")

    @cached_property
    def _session(self) -> Any:
        path = check_model(self._name)
        on_cpu = [providers.CPU]
        return providers.open_session(path, self._threads, lambda _: None, _nowhere, on_cpu)[0]


def _nowhere(provider: str, instead: str, for_good: bool) -> None:
    raise AssertionError("there is only the CPU to try")
