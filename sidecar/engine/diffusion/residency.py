"""The one model that is in memory, and how another one takes its place (docs/decisions/0012).

Everything that can be refused is refused by a plan, before a weight is read. Where there is room
for both, the former model stays until the new one is complete. Where there is not, it goes first:
a machine that can hold one model can then also change it.
"""

from __future__ import annotations

import torch

from sidecar.engine import allocator
from sidecar.engine.contract import CancelToken, ModelSpec
from sidecar.engine.diffusion import memory
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.load import Plan, filled, plan, with_vae_of
from sidecar.engine.diffusion.low_vram import FREED_AT_ONCE, measures
from sidecar.engine.diffusion.preflight import Preflight
from sidecar.engine.diffusion.resident import Resident
from sidecar.engine.diffusion.weights import Report


class Residency:
    def __init__(self, device: Device, preflight: Preflight) -> None:
        self._device = device
        self._preflight = preflight
        self.resident: Resident | None = None
        self._freed_at_once = False

    def networks(self, spec: ModelSpec) -> Components:
        """Of that model, with or without weights, to be counted. Raises as `load.plan` does."""
        resident = self.resident
        if resident is not None and resident.is_model(spec):
            return resident.components
        return plan(spec, self._device).networks

    def rung_of(self, spec: ModelSpec) -> str | None:
        """The rung that this model rests on by "auto"'s choice, if it is resident."""
        resident = self.resident
        if resident is None or not resident.is_model(spec):
            return None
        asked = resident.components.spec.low_vram
        return resident.components.rung if asked == spec.low_vram == "auto" else None

    def bring(
        self, spec: ModelSpec, rung: str, report: Report, cancel: CancelToken, alone: bool = False
    ) -> Resident:
        """That model on that rung, not yet kept where the former one is still there.

        `alone`: memory is short; the former one goes first in any case.
        """
        self._tune_allocator(rung)
        resident = self.resident
        if resident is not None and resident.rests_as(spec, rung):
            resident.components.use_rung(rung, spec.low_vram)
            return resident
        if resident is not None and resident.rests_but_for_vae_as(spec, rung):
            changed = with_vae_of(resident.components, spec, report, cancel)
            changed.use_rung(rung, spec.low_vram)
            return resident.with_components(changed)
        planned = plan(spec, self._device, rung)
        if resident is not None and (alone or not self._room_beside(planned, resident)):
            del resident
            self.drop()
        return Resident.of(filled(planned, report, cancel))

    def keep(self, resident: Resident) -> None:
        former, self.resident = self.resident, resident
        if former is not None and former is not resident:
            del former
            memory.release(self._device)

    def drop(self) -> int:
        """The bytes of weights that were given back."""
        if self.resident is None:
            return 0
        freed = self.resident.components.stored_bytes()
        self.resident = None
        memory.release(self._device)
        return freed

    def _tune_allocator(self, rung: str) -> None:
        """The engine's process keeps freed memory, unless the rung says otherwise."""
        at_once = FREED_AT_ONCE in measures(rung, self._device.has_own_memory, torch.float32)
        if at_once != self._freed_at_once:
            self._freed_at_once = at_once
            (allocator.return_freed_blocks if at_once else allocator.keep_freed_blocks)()

    def _room_beside(self, planned: Plan, resident: Resident) -> bool:
        present = resident.components.stored_bytes() + resident.merger.pristine_bytes()
        return self._preflight.fits_beside(planned.networks, planned.networks.rung, present)
