"""A stack of LoRAs that have been read and fit the model: what is merged, and its receipt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sidecar.engine.contract import AppliedLora, LoraReceipt, LoraSpec
from sidecar.engine.diffusion.adapters import Fitted
from sidecar.engine.diffusion.lora_file import LoraFile, LoraFiles
from sidecar.engine.diffusion.merge import Adapter
from sidecar.engine.diffusion.resident import Resident


def read_stack(files: LoraFiles, resident: Resident, loras: Iterable[LoraSpec]) -> Stack:
    """Every file read, checked and fitted, before anything is changed."""
    entries: list[Entry] = []
    for spec in loras:
        file, cached = files.read(spec)
        entries.append(Entry(spec, file, resident.fitter.fit(spec.name, file), cached))
    return Stack(tuple(entries))


@dataclass(frozen=True)
class Entry:
    spec: LoraSpec
    file: LoraFile
    fitted: Fitted
    cached: bool


@dataclass(frozen=True)
class Stack:
    """LoRAs that have been read and fit the model."""

    entries: tuple[Entry, ...]

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
