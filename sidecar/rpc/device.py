"""The computing device as the handshake tells it, before the engine has looked."""

from __future__ import annotations

import os
from importlib import import_module

from sidecar.engine.contract import EngineWarm
from sidecar.protocol.models import DeviceMemory


def first_device(warm: EngineWarm | None) -> DeviceMemory:
    """`warm`: what the engine found, if it is that far."""
    kind = warm.device.partition(":")[0] if warm else "cpu"
    total, free = main_memory() if kind == "cpu" else (None, None)
    name = warm.device_name if warm else "cpu"
    return DeviceMemory(
        name=name, kind=kind, total=total, free=free, used_by_process=None, peak=None
    )


def main_memory() -> tuple[int, int]:
    """Total and free bytes. Where the system says so by itself, psutil, whose import takes a
    twentieth of the handshake, is not asked."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = import_module("psutil").virtual_memory()
        return memory.total, memory.available
