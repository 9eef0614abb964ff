"""How memory is given back, and how its lack is told: torch's errors become one of ours."""

from __future__ import annotations

import gc
import logging
from collections.abc import Generator
from contextlib import contextmanager

import torch

from sidecar.engine import allocator, shortage
from sidecar.engine.diffusion.devices import Device
from sidecar.errors import OutOfMemory

MEGABYTE = 1024 * 1024

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
        shortage.forget(exc)
    else:
        return
    release(device)
    raise OutOfMemory(free_mb=device.free() // MEGABYTE, alternatives=[])


def lacks_memory(exc: BaseException) -> bool:
    """Of torch's errors: those of its own kind, and plain ones that say so."""
    if isinstance(exc, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(exc, RuntimeError) and shortage.lacks_memory(exc)
