"""`DiffusionEngine`: what the engine process draws with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import torch

from sidecar.engine.contract import (
    Alternative,
    CancelToken,
    Emit,
    EngineWarm,
    Forecast,
    LoadedModel,
    LoraReceipt,
    LoraSpec,
    MemoryReport,
    ModelLoading,
    ModelSpec,
    Progress,
    Rendered,
    RenderSpec,
    Unloaded,
)
from sidecar.engine.diffusion import devices, memory
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.forecast import Forecaster
from sidecar.engine.diffusion.lora_file import LoraFiles
from sidecar.engine.diffusion.lora_room import stack_bytes
from sidecar.engine.diffusion.low_vram import HALF_STORAGE
from sidecar.engine.diffusion.preflight import Admitted, LoraBytes, Preflight, allowed
from sidecar.engine.diffusion.recovery import Finished, Rung, with_one_retry
from sidecar.engine.diffusion.residency import Residency
from sidecar.engine.diffusion.resident import Resident
from sidecar.engine.diffusion.samplers import SAMPLERS
from sidecar.engine.diffusion.stack import read_stack
from sidecar.engine.memory.beside import Beside
from sidecar.engine.memory.calibration import Calibration
from sidecar.engine.memory.other_devices import reported_devices
from sidecar.engine.versions import installed
from sidecar.errors import SidecarError

PACKAGES = ("torch", "safetensors", "tokenizers", "pillow", "diffusers", "xformers")
T = TypeVar("T")


class DiffusionEngine:
    """Keeps one model resident, merges stacks into it, draws. See `contract.Engine`.

    `remembered`: the file that keeps what runs took on this machine; None: nothing does.
    `beside`: what else comes into this process.
    """

    def __init__(
        self,
        threads: int | None = None,
        remembered: Path | None = None,
        device: devices.Device | None = None,
        beside: Beside | None = None,
    ) -> None:
        self._beside = beside or Beside(device.main if device is not None else None)
        self._threads = threads
        self._remembered = remembered
        self._given = device
        self._files = LoraFiles()
        self._rung = Rung()

    @cached_property
    def _parts(self) -> _Parts:
        """What depends on the device; found out when it is first asked for."""
        threads = devices.use_threads(self._threads)
        device = self._given or devices.probe(self._beside.main)
        machine = f"{device.kind} {device.name} {threads} torch {torch.__version__}"
        calibration = Calibration(self._remembered, machine)
        forecaster = Forecaster(device, calibration, self._beside)
        preflight = Preflight(device, forecaster)
        return _Parts(device, forecaster, preflight, Residency(device, preflight))

    @property
    def _resident(self) -> Resident | None:
        return self._parts.residency.resident

    def warm_up(self) -> EngineWarm:
        device = self._parts.device
        return EngineWarm(
            versions=installed(PACKAGES),
            device=device.kind,
            device_name=device.name,
            attention=device.attention(device.dtype("auto")).name,
            samplers=tuple(SAMPLERS),
        )

    @torch.inference_mode()
    def load_model(
        self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken
    ) -> LoadedModel:
        def load(rung: str | None) -> LoadedModel:
            resident = self._bring(job_id, spec, self._rung_for(spec, rung), emit, cancel, rung)
            self._parts.residency.keep(resident)
            return resident.components.loaded()

        return self._recovering(load, emit)

    def unload_model(self) -> Unloaded:
        freed = self._parts.residency.drop()
        self._files.clear()
        memory.release(self._parts.device)
        return Unloaded(freed_bytes=freed)

    @torch.inference_mode()
    def apply_loras(
        self,
        job_id: str,
        spec: ModelSpec,
        loras: tuple[LoraSpec, ...],
        emit: Emit,
        cancel: CancelToken,
    ) -> LoraReceipt:
        def apply(rung: str | None) -> LoraReceipt:
            resident = self._bring(job_id, spec, self._rung_for(spec, rung), emit, cancel, rung)
            started = time.perf_counter()
            stack = read_stack(self._files, resident, loras)
            load_ms = _since(started)
            cancel.check()
            started = time.perf_counter()
            resident.merger.apply(stack.adapters)
            merge_ms = _since(started)
            self._parts.residency.keep(resident)
            return stack.receipt(resident, load_ms, merge_ms)

        return self._recovering(apply, emit)

    @torch.inference_mode()
    def render(self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken) -> Rendered:
        finished = Finished(emit, spec.seed_offset)

        def draw(rung: str | None) -> Rendered:
            left = replace(spec, seed_offset=finished.next_index)
            return self._draw(job_id, left, rung, finished, cancel)

        return self._recovering(draw, emit, spec)

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        device, resident = self._parts.device, self._resident
        return MemoryReport(
            ticket=ticket,
            rss=device.main.resident(),
            devices=(device.info(), *reported_devices(device.name, device.address)),
            components=resident.components.infos() if resident is not None else (),
            forecast=self._forecast(planned) if planned is not None else None,
        )

    # ----------------------------------------------------------------- inside

    def _draw(
        self, job_id: str, spec: RenderSpec, rung: str | None, emit: Emit, cancel: CancelToken
    ) -> Rendered:
        """`rung`: one that was come down to; None: the one that fits."""
        parts, started = self._parts, time.perf_counter()
        admitted = Admitted(rung, 1) if rung is not None else self._admitted(spec)
        resident = self._bring(job_id, spec.model, admitted.rung, emit, cancel, rung)
        load_ms, started = _since(started), time.perf_counter()
        stack = read_stack(self._files, resident, spec.loras)
        if not resident.merger.in_force(stack.adapters):
            cancel.check()
            resident.merger.apply(stack.adapters)
        merge_ms = _since(started)
        parts.residency.keep(resident)
        emit(Progress(job_id, "load", 1, 1))
        states = tuple(map(resident.merger.state_of, resident.components.text_encoders()))
        loras = self._lora_bytes(resident.components, spec)(admitted.rung)
        measure = partial(parts.forecaster.measuring, resident.components, loras=loras)
        took = resident.renderer.render(
            job_id, spec, states, emit, cancel, admitted.at_once, measure
        )
        return Rendered(
            loras=stack.applied(),
            load_ms=load_ms,
            merge_ms=merge_ms,
            encode_ms=took.encode,
            denoise_ms=took.denoise,
            decode_ms=took.decode,
        )

    def _bring(
        self,
        job_id: str,
        spec: ModelSpec,
        rung: str,
        emit: Emit,
        cancel: CancelToken,
        forced: str | None,
    ) -> Resident:
        """The model on that rung. `forced`: it was come down to, because memory ran out."""
        self._rung.tried = rung

        def report(stage: str, percent: float) -> None:
            emit(ModelLoading(job_id, spec.name, stage, percent, rung))

        return self._parts.residency.bring(spec, rung, report, cancel, alone=forced is not None)

    def _rung_for(self, spec: ModelSpec, forced: str | None) -> str:
        """Where a model is to rest when nothing is drawn yet."""
        parts = self._parts
        in_force = forced or parts.residency.rung_of(spec)
        return in_force or parts.preflight.model(parts.residency.networks(spec), spec)

    def _admitted(self, spec: RenderSpec) -> Admitted:
        """Raises OutOfMemory before anything is loaded or drawn."""
        networks = self._parts.residency.networks(spec.model)
        rungs = allowed(spec.model.low_vram, self._parts.residency.rung_of(spec.model))
        loras = self._lora_bytes(networks, spec)
        return self._parts.preflight.picture(networks, spec, loras, rungs)

    def _forecast(self, spec: RenderSpec) -> Forecast | None:
        """None for a model that cannot be loaded; loading it says why."""
        residency = self._parts.residency
        try:
            networks = residency.networks(spec.model)
        except SidecarError:
            return None
        rungs = allowed(spec.model.low_vram, residency.rung_of(spec.model))
        return self._parts.preflight.forecast(
            networks, spec, self._lora_bytes(networks, spec), rungs
        )

    def _recovering(
        self, work: Callable[[str | None], T], emit: Emit, spec: RenderSpec | None = None
    ) -> T:
        """`spec`: the picture that is drawn, where one is."""

        def alternatives(rung: str) -> list[Alternative]:
            if spec is None:
                return []
            networks = self._parts.residency.networks(spec.model)
            loras = self._lora_bytes(networks, spec)
            return self._parts.preflight.alternatives(networks, spec, loras, (rung,))

        return with_one_retry(work, self._rung, self._parts.device, emit, alternatives)

    def _lora_bytes(self, networks: Components, spec: RenderSpec) -> LoraBytes:
        def on(rung: str) -> int:
            half = HALF_STORAGE in networks.measures_of(rung)
            return stack_bytes(spec.loras, 2 if half else networks.dtype.itemsize)

        return on


@dataclass(frozen=True)
class _Parts:
    device: devices.Device
    forecaster: Forecaster
    preflight: Preflight
    residency: Residency


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
