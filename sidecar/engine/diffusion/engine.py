"""`DiffusionEngine`: what the engine process draws with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import torch

from sidecar.engine.contract import (
    AppliedLora,
    CancelToken,
    Emit,
    EngineWarm,
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
from sidecar.engine.diffusion.adapters import Fitted
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.diffusion.load import load, with_vae_of
from sidecar.engine.diffusion.lora_file import LoraFile, LoraFiles
from sidecar.engine.diffusion.merge import Adapter
from sidecar.engine.diffusion.resident import Resident
from sidecar.engine.diffusion.samplers import SAMPLERS

PACKAGES = ("torch", "safetensors", "tokenizers", "pillow", "diffusers", "xformers")


class DiffusionEngine:
    """Keeps one model resident, merges stacks into it, draws. See `contract.Engine`."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads
        self._device: devices.Device | None = None
        self._resident: Resident | None = None
        self._files = LoraFiles()

    def warm_up(self) -> EngineWarm:
        device = self._probed()
        return EngineWarm(
            versions=_versions(),
            device=device.kind,
            device_name=device.name,
            attention=AttentionBackend(device.torch, device.dtype("auto")).name,
            samplers=tuple(SAMPLERS),
        )

    @torch.inference_mode()
    def load_model(
        self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken
    ) -> LoadedModel:
        with memory.out_of_memory_told():
            self._keep(self._prepared(job_id, spec, emit, cancel))
        return self._loaded().components.loaded()

    def unload_model(self) -> Unloaded:
        freed = 0
        if self._resident is not None:
            freed = sum(info.bytes for info in self._resident.components.infos())
        self._resident = None
        self._files.clear()
        memory.release()
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
        with memory.out_of_memory_told():
            resident = self._prepared(job_id, spec, emit, cancel)
            started = time.perf_counter()
            stack = self._read(resident, loras)
            load_ms = _since(started)
            cancel.check()
            started = time.perf_counter()
            resident.merger.apply(stack.adapters)
            merge_ms = _since(started)
            self._keep(resident)
        return stack.receipt(resident, load_ms, merge_ms)

    @torch.inference_mode()
    def render(self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken) -> Rendered:
        with memory.out_of_memory_told():
            started = time.perf_counter()
            resident = self._prepared(job_id, spec.model, emit, cancel)
            load_ms = _since(started)
            started = time.perf_counter()
            stack = self._read(resident, spec.loras)
            if not resident.merger.in_force(stack.adapters):
                cancel.check()
                resident.merger.apply(stack.adapters)
            merge_ms = _since(started)
            self._keep(resident)
            emit(Progress(job_id, "load", 1, 1))
            states = tuple(map(resident.merger.state_of, resident.components.text_encoders()))
            took = resident.renderer.render(job_id, spec, states, emit, cancel)
        return Rendered(
            loras=stack.applied(),
            load_ms=load_ms,
            merge_ms=merge_ms,
            encode_ms=took.encode,
            denoise_ms=took.denoise,
            decode_ms=took.decode,
        )

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport:
        resident = self._resident
        return MemoryReport(
            ticket=ticket,
            rss=memory.resident_bytes(),
            devices=(memory.device_info(self._device),) if self._device is not None else (),
            components=resident.components.infos() if resident is not None else (),
        )

    def _probed(self) -> devices.Device:
        if self._device is None:
            devices.use_threads(self._threads)
            self._device = devices.probe()
        return self._device

    def _loaded(self) -> Resident:
        assert self._resident is not None
        return self._resident

    def _prepared(self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken) -> Resident:
        """What is resident if it is that model, else that model, loaded but not yet kept.

        Where only the VAE is another, only the VAE is read.
        """
        resident = self._resident
        if resident is not None and resident.is_model(spec):
            if resident.components.spec.low_vram != spec.low_vram:
                resident.components.use_measures(spec.low_vram)
            return resident

        def report(stage: str, percent: float) -> None:
            emit(ModelLoading(job_id, spec.name, stage, percent))

        if resident is not None and resident.is_model_but_for_vae(spec):
            return resident.with_components(with_vae_of(resident.components, spec, report, cancel))
        return Resident.of(load(spec, self._probed(), report, cancel))

    def _keep(self, resident: Resident) -> None:
        former, self._resident = self._resident, resident
        if former is not None and former is not resident:
            del former
            memory.release()

    def _read(self, resident: Resident, loras: tuple[LoraSpec, ...]) -> _Stack:
        """Every file read, checked and fitted, before anything is changed."""
        entries: list[_Entry] = []
        for spec in loras:
            file, cached = self._files.read(spec)
            entries.append(_Entry(spec, file, resident.fitter.fit(spec.name, file), cached))
        return _Stack(tuple(entries))


@dataclass(frozen=True)
class _Entry:
    spec: LoraSpec
    file: LoraFile
    fitted: Fitted
    cached: bool


@dataclass(frozen=True)
class _Stack:
    """LoRAs that have been read and fit the model."""

    entries: tuple[_Entry, ...]

    @property
    def adapters(self) -> tuple[Adapter, ...]:
        return tuple(
            Adapter(entry.file.sha256, entry.spec.alpha, entry.fitted.layers)
            for entry in self.entries
        )

    def applied(self) -> tuple[AppliedLora, ...]:
        return tuple(
            AppliedLora(entry.spec.name, entry.spec.alpha, entry.file.sha256)
            for entry in self.entries
        )

    def receipt(self, resident: Resident, load_ms: float, merge_ms: float) -> LoraReceipt:
        change = resident.merger.change()
        return LoraReceipt(
            loras=self.applied(),
            family=resident.components.family,
            rank=max((e.file.rank for e in self.entries if e.file.rank is not None), default=None),
            matched_keys=sum(entry.fitted.matched_keys for entry in self.entries),
            total_keys=sum(entry.file.total_keys for entry in self.entries),
            unsupported=tuple(key for entry in self.entries for key in entry.fitted.unsupported),
            relative_delta=change.overall,
            relative_delta_by_block=change.by_block,
            cached=all(entry.cached for entry in self.entries),
            load_ms=load_ms,
            merge_ms=merge_ms,
            bytes=sum(entry.file.bytes for entry in self.entries),
        )


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
