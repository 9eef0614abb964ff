"""`CompleteEngine`: draws with one engine, and enlarges, enhances and checks what comes out.

What draws is handed in: `DiffusionEngine`, or `NoDrawing` in a build without torch. ONNX Runtime is
imported by the first job that needs it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sidecar.engine.afterwards import Finishing, Measure, lighter_network
from sidecar.engine.contract import (
    CancelToken,
    Checked,
    CheckSpec,
    Drawing,
    Emit,
    EngineWarm,
    EnhanceSpec,
    Event,
    Finished,
    ImageReady,
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
    within,
)
from sidecar.engine.known_networks import KnownNetworks
from sidecar.engine.memory.beside import LIBRARY, Beside
from sidecar.engine.shortage import memory_told
from sidecar.errors import SidecarError

if TYPE_CHECKING:
    from PIL.Image import Image

    from sidecar.engine.checks.checker import Checker
    from sidecar.engine.pictures.opening import Opened
    from sidecar.engine.upscale.upscaler import Upscaler


class CompleteEngine:
    """See `contract.Engine`. `threads`: of ONNX Runtime; None: one for each physical core.
    `beside`: notes what comes into the process beside `drawing`, which should know of it.
    """

    def __init__(
        self, drawing: Drawing, threads: int | None = None, beside: Beside | None = None
    ) -> None:
        self._drawing = drawing
        self._beside = beside or Beside()
        self._networks = KnownNetworks()
        self._finishing = Finishing(self._beside, self._networks)
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
        with memory_told(self._release, lighter_network(plan.upscaler) if plan else ()):
            if plan is not None and not self._networks.knows(plan.upscaler):
                self._upscaler.load(plan.upscaler, emit, cancel)
            spec = self._planned(spec)
            if spec.enlarging is None and not spec.checks.any:
                return self._drawing.render(job_id, spec, emit, cancel)
            return import_module("sidecar.engine.finishing").render(
                job_id,
                spec,
                _Measured(self._drawing, self._finishing.measuring(spec)),
                self._upscaler if spec.enlarging is not None else None,
                self._look,
                emit,
                cancel,
            )

    def upscale(self, job_id: str, spec: UpscaleSpec, emit: Emit, cancel: CancelToken) -> Finished:
        job = self._imported("sidecar.engine.upscale.job")
        with memory_told(self._release, job.lighter_ways(spec)):
            return job.upscale(job_id, spec, self._upscaler, self._check, emit, cancel)

    def enhance(self, job_id: str, spec: EnhanceSpec, emit: Emit, cancel: CancelToken) -> Finished:
        job = self._imported("sidecar.engine.enhancing")
        ways = import_module("sidecar.engine.upscale.job").lighter_ways(spec.upscale)
        with memory_told(self._release, ways):
            return job.enhance(
                job_id, spec, self._drawing, self._device, self._upscaler, self._check, emit, cancel
            )

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        if planned is not None:
            try:
                planned = self._planned(planned)
            except SidecarError:
                planned = None  # generate says why
        drawn = as_drawn(planned, planned.enlarging) if planned is not None else None
        report = self._drawing.memory(ticket, drawn)
        report = replace(report, components=report.components + self._beside.infos())
        return reported_whole(report, planned) if planned is not None else report

    def _planned(self, spec: RenderSpec) -> RenderSpec:
        """With the plan that holds on this device and with that network, and what is done after
        it. A network that is not known is opened for that.

        Raises ModelUnsupported, ModelCorrupt or AssetMissing for a network that cannot.
        """
        plan = drawn_smaller(spec, self._device)
        if plan is not None:
            plan = within(spec, plan, self._networks.of(plan.upscaler).scale)
        return self._finishing.told(replace(spec, enlarging=plan))

    @cached_property
    def _upscaler(self) -> Upscaler:
        module = self._imported("sidecar.engine.noted_upscaler")
        return module.NotedUpscaler(thread_count(self._threads), self._beside, self._networks)

    @cached_property
    def _checker(self) -> Checker:
        module = import_module("sidecar.engine.noted_checker")
        return module.NotedChecker(thread_count(self._threads), self._beside)

    def _imported(self, name: str) -> Any:
        """A module that imports ONNX Runtime."""
        with self._beside.coming(LIBRARY, LIBRARY):
            return import_module(name)

    def _release(self) -> None:
        for tool in ("_upscaler", "_checker"):
            if tool in vars(self):
                getattr(self, tool).unload()
        self._beside.gone()

    def _look(self, picture: Image, checks: CheckSpec) -> Checked:
        return self._checker.look(picture, checks)

    def _check(self, opened: Opened, checks: CheckSpec, scale: int) -> Checked:
        """Raises ContentBlocked."""
        return self._checker.admit(opened, checks, scale) if checks.any else Checked()


class _Measured:
    """Draws, and measures what is done with each picture where it goes to."""

    def __init__(self, drawing: Drawing, measure: Measure) -> None:
        self._drawing = drawing
        self._measure = measure

    def render(self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken) -> Rendered:
        def heard(event: Event) -> None:
            if not isinstance(event, ImageReady):
                emit(event)
                return
            with self._measure():
                emit(event)

        return self._drawing.render(job_id, spec, heard, cancel)
