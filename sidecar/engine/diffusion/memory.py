"""How memory is given back, and how its lack is told: torch's errors become one of ours."""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Generator
from contextlib import contextmanager

import torch

from sidecar.engine import allocator
from sidecar.engine.diffusion.devices import Device
from sidecar.errors import OutOfMemory

MEGABYTE = 1024 * 1024
PHRASES = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate",
    "alloc_failed",
    "bad_alloc",
    "could not create a memory",
)
"""What allocators of CPUs, CUDA, Metal and oneDNN say in a plain RuntimeError."""

log = logging.getLogger(__name__)


def release(device: Device) -> None:
    """Give back what is no longer used, also what the allocators hold in reserve."""
    gc.collect()
    device.release()
    allocator.give_back()


@contextmanager
def out_of_memory_told(device: Device) -> Generator[None]:
    """Turns the allocators' errors into OutOfMemory, with everything unused released.

    The frames that failed are cleared: as long as the error lives, they would keep their tensors.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as exc:
        if not lacks_memory(exc):
            raise
        log.warning("out of memory: %s", exc)
        _forget(exc)
    else:
        return
    release(device)
    raise OutOfMemory(free_mb=device.free() // MEGABYTE, alternatives=[])


def lacks_memory(exc: BaseException) -> bool:
    if isinstance(exc, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(exc).lower()
    return isinstance(exc, RuntimeError) and any(phrase in text for phrase in PHRASES)


def _forget(exc: BaseException) -> None:
    """Clear the locals of every frame that the error, and those it came of, went through."""
    seen: BaseException | None = exc
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
