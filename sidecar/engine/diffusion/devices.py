"""The computing device behind one small interface, found when the engine warms up.

`Device` computes on the CPU in main memory; `Cuda` (NVIDIA, and AMD through ROCm) and `Metal` have
other memory. Nothing is probed at import.
"""

from __future__ import annotations

import platform
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from sidecar.engine.contract import DeviceInfo
from sidecar.engine.cores import thread_count
from sidecar.engine.diffusion.attention import AttentionBackend
from sidecar.engine.memory.other_devices import PciAddress
from sidecar.engine.memory.ram import MainMemory, Peak

DTYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}

SMALL_STEP = 10**10
"""Weights times latent cells of one step. Below it, handing parts of each small product to a second
thread costs more than it brings: the starter's step took 26 ms on one thread, 31 to 38 on two."""


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


@dataclass(frozen=True)
class Device:
    """`kind` is "cuda", "mps" or "cpu"; `name` is for people. `main`: this process's own memory."""

    kind: str
    name: str
    main: MainMemory = field(default_factory=MainMemory, compare=False, repr=False)

    @property
    def torch(self) -> torch.device:
        return torch.device(self.kind)

    @property
    def address(self) -> PciAddress | None:
        """Where the card is plugged in; None for what is none."""
        return None

    @property
    def has_own_memory(self) -> bool:
        """Whether weights can rest in main memory and be lent to the device."""
        return False

    @property
    def in_main_memory(self) -> bool:
        """Whether `used` and `free` are of main memory, which others in this process take too."""
        return self.kind == "cpu"

    def dtype(self, asked: str) -> torch.dtype:
        """The asked type, or what suits this device: full precision on a CPU, half elsewhere."""
        if asked != "auto":
            return DTYPES[asked]
        return torch.float32 if self.kind == "cpu" else torch.float16

    def attention(self, dtype: torch.dtype) -> AttentionBackend:
        """The fastest kernel there is for that type."""
        return AttentionBackend(torch.device(self.kind), dtype)

    def lend(self, weight: Tensor) -> Tensor:
        """A copy on the device of a weight that rests in main memory."""
        return weight.to(self.torch, copy=True)

    def used(self) -> int:
        """Bytes that this process has of the memory that the networks compute in."""
        return self.main.resident()

    def free(self) -> int:
        """Bytes that it could take on top of that."""
        return self.main.free()

    def span(self) -> AbstractContextManager[Peak]:
        """Measures the peak of a block."""
        return self.main.span()

    def release(self) -> None:
        """Give back what torch holds in reserve on the device."""

    def info(self) -> DeviceInfo:
        return DeviceInfo(
            name=self.name,
            kind=self.kind,
            total=self.main.total(),
            free=self.free(),
            used_by_process=self.used(),
            peak=self.main.highest(),
        )


class Cuda(Device):
    """NVIDIA, or AMD where torch was built for ROCm, which goes by the same names in torch."""

    @property
    def address(self) -> PciAddress:
        card = cast("Any", torch.cuda).get_device_properties()
        return card.pci_domain_id, card.pci_bus_id, card.pci_device_id

    @property
    def has_own_memory(self) -> bool:
        return True

    def used(self) -> int:
        return torch.cuda.memory_reserved()

    def free(self) -> int:
        """What the driver has left, and what torch holds without using it."""
        idle = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] + idle

    @contextmanager
    def span(self) -> Generator[Peak]:
        peak = Peak()
        torch.cuda.reset_peak_memory_stats()
        try:
            yield peak
        finally:
            peak.bytes = torch.cuda.max_memory_allocated()

    def release(self) -> None:
        torch.cuda.empty_cache()

    def info(self) -> DeviceInfo:
        free, total = torch.cuda.mem_get_info()
        return DeviceInfo(
            name=self.name,
            kind="cuda" if torch.version.hip is None else "rocm",
            total=total,
            free=free,
            used_by_process=torch.cuda.memory_reserved(),
            peak=torch.cuda.max_memory_reserved(),
        )


class Metal(Device):
    """Apple's GPUs share main memory; macOS recommends how much of it a process should take."""

    def used(self) -> int:
        return torch.mps.driver_allocated_memory()

    def free(self) -> int:
        return max(torch.mps.recommended_max_memory() - self.used(), 0)

    @contextmanager
    def span(self) -> Generator[Peak]:
        """At the end of the block: Metal keeps no count of its peak."""
        peak = Peak()
        try:
            yield peak
        finally:
            peak.bytes = self.used()

    def release(self) -> None:
        torch.mps.empty_cache()

    def info(self) -> DeviceInfo:
        total, used = torch.mps.recommended_max_memory(), self.used()
        return DeviceInfo(self.name, "mps", total, self.free(), used, None)


def probe(main: MainMemory | None = None) -> Device:
    """CUDA before Apple's Metal before the CPU. `main`: where it is looked at already."""
    main = main or MainMemory()
    if torch.cuda.is_available():
        return Cuda("cuda", torch.cuda.get_device_name(), main)
    if torch.backends.mps.is_available():
        return Metal("mps", "Apple GPU", main)
    return Device("cpu", _cpu_name(), main)


def use_threads(asked: int | None) -> int:
    """Let torch use that many threads, or one for each physical core this process may use."""
    count = thread_count(asked)
    torch.set_num_threads(count)
    return count


@contextmanager
def threads_for_step(weights: int, cells: int) -> Generator[None]:
    """As many threads as a step on the CPU is worth: one for small networks, else all.

    `weights`: how many numbers the network has; `cells`: rows × height × width of its input.
    """
    most = torch.get_num_threads()
    torch.set_num_threads(1 if weights * cells < SMALL_STEP else most)
    try:
        yield
    finally:
        torch.set_num_threads(most)


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
