"""`CompleteEngine`: draws with one engine, and enlarges, enhances and checks what comes out.

What draws is handed in: `DiffusionEngine`, or `NoDrawing` in a build without torch. ONNX Runtime is
imported by the first job that needs it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from sidecar.engine.contract import (
    CancelToken,
    Checked,
    CheckSpec,
    Drawing,
    Emit,
    EngineWarm,
    EnhanceSpec,
    Finished,
    LoadedModel,
    LoraReceipt,
    LoraSpec,
    MemoryReport,
    ModelSpec,
    Rendered,
    RenderSpec,
    Unloaded,
    UpscaleSpec,
)
from sidecar.engine.cores import thread_count
from sidecar.engine.drawn_smaller import (
    as_drawn,
    drawn_smaller,
    reported_whole,
)
from sidecar.engine.shortage import memory_told

if TYPE_CHECKING:
    from PIL.Image import Image

    from sidecar.engine.checks.checker import Checker
    from sidecar.engine.pictures.opening import Opened
    from sidecar.engine.upscale.upscaler import Upscaler


class CompleteEngine:
    """See `contract.Engine`. `threads`: of ONNX Runtime; None: one for each physical core."""

    def __init__(self, drawing: Drawing, threads: int | None = None) -> None:
        self._drawing = drawing
        self._threads = threads
        self._device = "cpu"

    def warm_up(self) -> EngineWarm:
        warm = self._drawing.warm_up()
        self._device = warm.device
        return warm

    def load_model(
        self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken
    ) -> LoadedModel:
        return self._drawing.load_model(job_id, spec, emit, cancel)

    def unload_model(self) -> Unloaded:
        self._release()
        return self._drawing.unload_model()

    def apply_loras(
        self,
        job_id: str,
        spec: ModelSpec,
        loras: tuple[LoraSpec, ...],
        emit: Emit,
        cancel: CancelToken,
    ) -> LoraReceipt:
        return self._drawing.apply_loras(job_id, spec, loras, emit, cancel)

    def render(self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken) -> Rendered:
        plan = drawn_smaller(spec, self._device)
        spec = replace(spec, enlarging=plan)
        if plan is None and not spec.checks.any:
            return self._drawing.render(job_id, spec, emit, cancel)
        finishing = import_module("sidecar.engine.finishing")
        with memory_told(self._release):
            return finishing.render(
                job_id,
                spec,
                self._drawing,
                self._upscaler if plan is not None else None,
                self._look,
                emit,
                cancel,
            )

    def upscale(self, job_id: str, spec: UpscaleSpec, emit: Emit, cancel: CancelToken) -> Finished:
        job = import_module("sidecar.engine.upscale.job")
        with memory_told(self._release, job.lighter_ways(spec)):
            return job.upscale(job_id, spec, self._upscaler, self._check, emit, cancel)

    def enhance(self, job_id: str, spec: EnhanceSpec, emit: Emit, cancel: CancelToken) -> Finished:
        job = import_module("sidecar.engine.enhancing")
        ways = import_module("sidecar.engine.upscale.job").lighter_ways(spec.upscale)
        with memory_told(self._release, ways):
            return job.enhance(
                job_id, spec, self._drawing, self._device, self._upscaler, self._check, emit, cancel
            )

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        if planned is None:
            return self._drawing.memory(ticket)
        plan = drawn_smaller(planned, self._device)
        report = self._drawing.memory(ticket, as_drawn(planned, plan))
        return reported_whole(report, planned, plan)

    @cached_property
    def _upscaler(self) -> Upscaler:
        module = import_module("sidecar.engine.upscale.upscaler")
        return module.Upscaler(thread_count(self._threads))

    @cached_property
    def _checker(self) -> Checker:
        return import_module("sidecar.engine.checks.checker").Checker(thread_count(self._threads))

    def _release(self) -> None:
        for tool in ("_upscaler", "_checker"):
            if tool in vars(self):
                getattr(self, tool).unload()

    def _look(self, picture: Image, checks: CheckSpec) -> Checked:
        return self._checker.look(picture, checks)

    def _check(self, opened: Opened, checks: CheckSpec, scale: int) -> Checked:
        """Raises ContentBlocked."""
        return self._checker.admit(opened, checks, scale) if checks.any else Checked()
