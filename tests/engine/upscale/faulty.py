"""Execution providers that are not there, for tests: the CPU's sessions under other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sidecar.engine.upscale import providers

CUDA, DIRECTML = "CUDAExecutionProvider", "DmlExecutionProvider"
NO_MEMORY = "[ONNXRuntimeError] : 1 : FAIL : Failed to allocate memory for requested buffer"
LOST = "[ONNXRuntimeError] : 1 : FAIL : CUDA failure 700: an illegal memory access"

Fault = Callable[[Any], str | None]
"""What a run on these feeds fails with; None: nothing."""


class Faults:
    """What goes wrong, by the provider's name; what was opened, and what was run."""

    def __init__(self) -> None:
        self.opening: dict[str, str] = {}
        self.running: dict[str, Fault] = {}
        self.opened: list[str] = []
        self.ran: list[tuple[str, tuple[int, ...]]] = []


class _Session:
    def __init__(self, real: Any, provider: str, faults: Faults) -> None:
        self._real, self._provider, self._faults = real, provider, faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def get_providers(self) -> list[str]:
        return [self._provider]

    def run(self, outputs: Any, feeds: dict[str, Any], options: Any) -> Any:
        (fed,) = feeds.values()
        if not options.terminate:
            self._faults.ran.append((self._provider, fed.shape))
            said = self._faults.running.get(self._provider, lambda _: None)(fed)
            if said is not None:
                raise RuntimeError(said)
        return self._real.run(outputs, feeds, options)


def fake(monkeypatch: pytest.MonkeyPatch, *names: str) -> Faults:
    """From now on there are these providers, and the CPU."""
    faults, real = Faults(), providers._ort.InferenceSession

    def opened(model: Any, options: Any, providers: list[str]) -> Any:
        if (said := faults.opening.get(providers[0])) is not None:
            raise RuntimeError(said)
        session = real(model, options, providers=[providers[-1]])
        faults.opened.append(providers[0])
        return _Session(session, providers[0], faults)

    monkeypatch.setattr(providers._ort, "InferenceSession", opened)
    monkeypatch.setattr(providers, "available", lambda: [*names, providers.CPU])
    return faults
