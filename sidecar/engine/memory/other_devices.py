"""What the drivers' own libraries say of devices, whether or not torch computes on them.

NVML (package `nvidia-ml-py`) for NVIDIA, `torch-directml` for DirectML. Both are optional; where
one is missing or its driver does not answer, there is nothing to report.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from sidecar.engine.contract import DeviceInfo

MEGABYTE = 1024 * 1024

PciAddress = tuple[int, int, int]
"""Domain, bus and device: what tells two cards of one name apart."""

log = logging.getLogger(__name__)


def reported_devices(
    computing: str = "", address: PciAddress | None = None
) -> tuple[DeviceInfo, ...]:
    """Every NVIDIA GPU, and every DirectML adapter that is none, of this machine.

    `computing`, `address`: name and place of the one that computes, which is left out.
    """
    cards = _asked("pynvml", partial(_nvidia, besides=address))
    known = {computing, *(card.name for card in cards)}
    adapters = _asked("torch_directml", _directml)
    return (*cards, *(adapter for adapter in adapters if adapter.name not in known))


def _asked(package: str, ask: Callable[[Any], list[DeviceInfo]]) -> list[DeviceInfo]:
    """Drivers fail in ways of their own; a report without one device is better than none."""
    if importlib.util.find_spec(package) is None:
        return []
    try:
        return ask(importlib.import_module(package))
    except Exception as exc:
        log.debug("%s does not answer: %s", package, exc)
        return []


def _nvidia(nvml: Any, besides: PciAddress | None) -> list[DeviceInfo]:
    nvml.nvmlInit()
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        others = [handle for handle in handles if _address(nvml, handle) != besides]
        return [_nvidia_device(nvml, handle) for handle in others]
    finally:
        nvml.nvmlShutdown()


def _address(nvml: Any, handle: Any) -> PciAddress:
    place = nvml.nvmlDeviceGetPciInfo(handle)
    return int(place.domain), int(place.bus), int(place.device)


def _nvidia_device(nvml: Any, handle: Any) -> DeviceInfo:
    name = nvml.nvmlDeviceGetName(handle)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    own = [
        process.usedGpuMemory
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        if process.pid == os.getpid()
    ]
    return DeviceInfo(
        name=name.decode() if isinstance(name, bytes) else str(name),
        kind="cuda",
        total=int(memory.total),
        free=int(memory.free),
        used_by_process=own[0] if own else 0,  # None where Windows keeps it to itself
        peak=None,
    )


def _directml(directml: Any) -> list[DeviceInfo]:
    """`gpu_memory` gives for each tile of so many megabytes the part that is in use."""
    found: list[DeviceInfo] = []
    for index in range(directml.device_count()):
        tiles = directml.gpu_memory(index, mb_per_tile=1)
        used = round(sum(tiles) * MEGABYTE)
        total = len(tiles) * MEGABYTE
        name = str(directml.device_name(index))
        found.append(DeviceInfo(name, "directml", total, total - used, used, None))
    return found
