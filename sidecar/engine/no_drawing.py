"""What stands in for the drawing engine in a build without torch: it says what is missing."""

from __future__ import annotations

from typing import NoReturn

import psutil

from sidecar.engine.contract import (
    CancelToken,
    DeviceInfo,
    Emit,
    EngineWarm,
    LoadedModel,
    LoraReceipt,
    LoraSpec,
    MemoryReport,
    ModelSpec,
    Rendered,
    RenderSpec,
    Unloaded,
)
from sidecar.engine.versions import installed
from sidecar.errors import EngineMissing

PACKAGES = ("onnxruntime", "numpy", "pillow", "zxing-cpp")


class NoDrawing:
    """See `contract.Drawing`. `package`: what could not be imported."""

    def __init__(self, package: str = "torch") -> None:
        self._package = package

    def warm_up(self) -> EngineWarm:
        return EngineWarm(installed(PACKAGES), "cpu", "CPU", "", ())

    def load_model(
        self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken
    ) -> LoadedModel:
        self._refuse()

    def unload_model(self) -> Unloaded:
        return Unloaded(0)

    def apply_loras(
        self,
        job_id: str,
        spec: ModelSpec,
        loras: tuple[LoraSpec, ...],
        emit: Emit,
        cancel: CancelToken,
    ) -> LoraReceipt:
        self._refuse()

    def render(self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken) -> Rendered:
        self._refuse()

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        ram, rss = psutil.virtual_memory(), psutil.Process().memory_info().rss
        device = DeviceInfo("CPU", "cpu", ram.total, ram.available, rss, None)
        return MemoryReport(ticket, rss, (device,), ())

    def _refuse(self) -> NoReturn:
        raise EngineMissing(package=self._package)
