"""How much memory a model or a picture will take at most, before anything is read or drawn.

    peak = the process without a model + what others have in it (`memory.beside`) + weights
           + what LoRAs add + the largest phase

Weights are counted from headers. What a phase needs is computed from the networks (`activations`)
and corrected by what earlier runs on this machine really took (`memory.calibration`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from sidecar.engine.contract import Afterwards, RenderSpec
from sidecar.engine.diffusion import activations
from sidecar.engine.diffusion.activations import Sizes
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.devices import Device, dtype_name
from sidecar.engine.diffusion.low_vram import (
    COMPONENT_OFFLOAD,
    FREED_AT_ONCE,
    HALF_STORAGE,
    SEQUENTIAL_OFFLOAD,
    VAE_TILING,
)
from sidecar.engine.diffusion.weights import WINDOW, storable_in_half
from sidecar.engine.memory.beside import Beside
from sidecar.engine.memory.calibration import Calibration, Guess

ENCODE, DENOISE, DECODE = "encode", "denoise", "decode"
"""Phases: from an initial picture to where denoising starts, to latents, from latents to a file."""
LIVE: dict[str, Callable[[Components, Sizes, Iterable[str]], int]] = {
    ENCODE: lambda networks, sizes, low_vram: activations.encoding(
        networks,
        replace(sizes, pictures=1),  # one for all
        low_vram,
    ),
    DENOISE: activations.denoising,
    DECODE: activations.decoding,
}
RUN_IN = {ENCODE: "vae", DENOISE: "unet", DECODE: "vae"}
"""The largest network that a phase computes with."""
PREVIEW_FIT = Sizes(128, 128, 2, False, 1)
"""What is encoded when a model has been loaded, for the preview."""
HALF_BYTES = 2
GREW = 1.01
TOUCHED = 36 * 1024 * 1024
"""What drawing once leaves in a process: pages of torch's code that it touched, threads, tables.
For drawing itself it is in what was measured."""
KEPT_RATIO, FREED_RATIO = 1.7, 1.15
"""What a process takes for each live byte, as measured with SD 1.5 and the starter on a CPU."""


@dataclass(frozen=True)
class Need:
    """Bytes at the peak. `device`: where the networks compute; `main`: in main memory, where
    weights rest apart from the device, else 0. `measured`: such runs were measured here."""

    device: int
    main: int
    measured: bool


class Forecaster:
    """Made before any model is there: what this process has then, it always has."""

    def __init__(self, device: Device, calibration: Calibration, beside: Beside) -> None:
        self._device = device
        self._calibration = calibration
        self._beside = beside
        self._in_main = device.main.resident()
        self._on_device = device.used()

    def loading(self, networks: Components, rung: str) -> Need:
        """Of loading a model: a window of its files is mapped beside what is placed, and at the end
        a few small pictures are encoded."""
        layout = _Layout.of(networks, rung)
        encoded = activations.encoding(networks, PREVIEW_FIT, layout.low_vram)
        return self._standing(layout, DECODE, max(encoded, min(WINDOW, layout.total)), True)

    def drawing(
        self, networks: Components, spec: RenderSpec, rung: str, at_once: int, loras: int
    ) -> Need:
        """Of a picture. `loras`: bytes that its stack takes beside the weights."""
        layout, sizes = _Layout.of(networks, rung), sizes_of(spec, at_once)
        after = spec.afterwards or Afterwards()
        beside = loras + after.stays
        needs = [self._finishing(layout, beside, after)] if after.takes else []
        for phase in phases_of(spec):
            live = LIVE[phase](networks, sizes, layout.low_vram)
            taken = self._calibration.estimate(layout.work(phase), live, layout.guess)
            needs.append(self._standing(layout, phase, taken.bytes, taken.measured, beside))
        return Need(
            device=max(need.device for need in needs),
            main=max(need.main for need in needs),
            measured=all(need.measured for need in needs),
        )

    @contextmanager
    def measuring(
        self, networks: Components, phase: str, sizes: Sizes, loras: int
    ) -> Generator[None]:
        """Learns from what a phase takes. A phase that fails teaches nothing, nor does one
        during which something else came into the process: it would be taken for the phase's."""
        layout = _Layout.of(networks, networks.rung)
        live = LIVE[phase](networks, sizes, layout.low_vram)
        before, changes = self._device.used(), self._beside.changes
        with self._device.span() as peak:
            yield
        if changes != self._beside.changes:
            return
        standing = self._standing(layout, phase, 0, True, loras).device
        taken, work = max(peak.bytes - standing, 1), layout.work(phase)
        # Within memory that was left from before, all that is seen is that it was enough.
        if (
            peak.bytes > GREW * before
            or taken < self._calibration.estimate(work, live, layout.guess).bytes
        ):
            self._calibration.learn(work, live, taken)

    def _standing(
        self, layout: _Layout, phase: str, taken: int, measured: bool, loras: int = 0
    ) -> Need:
        """What stands there anyway, and `taken` on top."""
        weights = layout.total + loras
        if layout.rests_in_main:
            main = self._in_main + self._beside.total + weights
            return Need(layout.lent(phase) + taken, main, measured)
        return Need(self._anyway() + weights + taken, 0, measured)

    def _finishing(self, layout: _Layout, loras: int, after: Afterwards) -> Need:
        """Of what is done with a picture that was drawn: in main memory, whatever drew it."""
        weights, takes = layout.total + loras, after.takes + TOUCHED
        if layout.rests_in_main:
            main = self._in_main + self._beside.total + weights + takes
            return Need(0, main, after.measured)
        takes = takes if self._device.in_main_memory else 0
        return Need(self._anyway() + weights + takes, 0, after.measured)

    def _anyway(self) -> int:
        """What is where the networks compute without any of them."""
        if not self._device.in_main_memory:
            return self._on_device
        return self._in_main + self._beside.total


@dataclass(frozen=True)
class _Layout:
    """Bytes of each network on a rung, the largest layer of each, and what tells kinds of work
    apart."""

    networks: dict[str, int]
    layers: dict[str, int]
    low_vram: tuple[str, ...]
    kind: str

    @staticmethod
    def of(networks: Components, rung: str) -> _Layout:
        low_vram, parts = networks.measures_of(rung), networks.networks()
        sizes: dict[str, list[int]] = {}
        for name, part in parts.items():
            dtype = networks.vae_dtype if name == "vae" else networks.dtype
            half = HALF_STORAGE in low_vram
            sizes[name] = [_layer_bytes(module, dtype, half) for module in part.modules()]
        numbers = sum(weight.numel() for part in parts.values() for weight in part.parameters())
        dtypes = "+".join(map(dtype_name, (networks.dtype, networks.vae_dtype)))
        return _Layout(
            networks={name: sum(layers) for name, layers in sizes.items()},
            layers={name: max(layers) for name, layers in sizes.items()},
            low_vram=low_vram,
            kind=f"{networks.device.kind} {networks.family} {numbers} {dtypes}",
        )

    @property
    def total(self) -> int:
        return sum(self.networks.values())

    @property
    def rests_in_main(self) -> bool:
        return bool({COMPONENT_OFFLOAD, SEQUENTIAL_OFFLOAD} & set(self.low_vram))

    def lent(self, phase: str) -> int:
        """Bytes of weights that are on the device during that phase."""
        layers = SEQUENTIAL_OFFLOAD in self.low_vram
        return (self.layers if layers else self.networks)[RUN_IN[phase]]

    @property
    def guess(self) -> Guess:
        """Before anything was measured. An allocator that keeps what is freed leaves gaps in it."""
        kept = not {FREED_AT_ONCE, COMPONENT_OFFLOAD, SEQUENTIAL_OFFLOAD} & set(self.low_vram)
        return Guess(KEPT_RATIO if kept and self.kind.startswith("cpu ") else FREED_RATIO)

    def work(self, phase: str) -> str:
        """What is measured together: the same network, stored and run in the same way."""
        marks = (HALF_STORAGE, SEQUENTIAL_OFFLOAD, FREED_AT_ONCE, VAE_TILING)
        return " ".join([self.kind, *(m for m in marks if m in self.low_vram), phase])


def _layer_bytes(module: nn.Module, dtype: torch.dtype, half: bool) -> int:
    """Of the module's own parameters, as they would be stored."""
    return sum(
        weight.numel() * (HALF_BYTES if half and storable_in_half(module, name) else dtype.itemsize)
        for name, weight in module.named_parameters(recurse=False)
    )


def phases_of(spec: RenderSpec) -> tuple[str, ...]:
    return (DENOISE, DECODE) if spec.init_image is None else (ENCODE, DENOISE, DECODE)


def sizes_of(spec: RenderSpec, at_once: int) -> Sizes:
    return Sizes(spec.width, spec.height, at_once, spec.guidance_scale > 1, spec.steps)
