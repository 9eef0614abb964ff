"""What memory is in use, how it is given back, and how its lack is told."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

import psutil
import torch

from sidecar.engine.contract import DeviceInfo
from sidecar.engine.diffusion.devices import Device
from sidecar.errors import OutOfMemory

MEGABYTE = 1024 * 1024
PHRASES = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


def resident_bytes() -> int:
    return psutil.Process().memory_info().rss


def device_info(device: Device) -> DeviceInfo:
    """Null where the device does not say; for a CPU, main memory."""
    if device.kind == "cuda":
        free, total = torch.cuda.mem_get_info()
        return DeviceInfo(
            name=device.name,
            kind="cuda",
            total=total,
            free=free,
            used_by_process=torch.cuda.memory_reserved(),
            peak=torch.cuda.max_memory_reserved(),
        )
    ram = psutil.virtual_memory()
    return DeviceInfo(
        name=device.name,
        kind=device.kind,
        total=ram.total,
        free=ram.available,
        used_by_process=resident_bytes(),
        peak=_peak(),
    )


def release() -> None:
    """Give back what is no longer used, also what the allocators hold in reserve."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


@contextmanager
def out_of_memory_told() -> Generator[None]:
    """Turns the allocators' errors into OutOfMemory, with everything unused released."""
    try:
        yield
    except (MemoryError, RuntimeError) as exc:
        if not _lacks_memory(exc):
            raise
        release()
        free = psutil.virtual_memory().available // MEGABYTE
        raise OutOfMemory(free_mb=free, alternatives=[]) from exc


def _lacks_memory(exc: Exception) -> bool:
    if isinstance(exc, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(exc).lower()
    return any(phrase in text for phrase in PHRASES)


def _peak() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
