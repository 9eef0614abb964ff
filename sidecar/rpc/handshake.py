"""What `initialize` answers, put together without the rest of the sidecar being imported."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args

from sidecar import __version__
from sidecar.protocol import PROTOCOL_VERSION, names
from sidecar.rpc.handlers import HANDLERS
from sidecar.settings import Settings

if TYPE_CHECKING:
    from sidecar.engine.contract import EngineWarm


def introduction(settings: Settings, warm: EngineWarm | None) -> dict[str, Any]:
    """The fields of `sidecar.protocol.lifecycle.InitializeResult`.

    `warm`: what the engine found when it looked at its device, if it is that far.
    """
    return {
        "server": {"name": "lora-sidecar", "version": __version__},
        "protocol_version": PROTOCOL_VERSION,
        "capabilities": {
            "methods": list(HANDLERS),
            "notifications": list(names.NOTIFICATION_NAMES),
            "samplers": list(get_args(names.SamplerName)),
            "engines": _engines(settings.engine),
            "limits": _limits(settings),
        },
        "device": _device(warm),
        "paths": {
            "data": str(settings.data.root),
            "images": str(settings.data.images),
            "loras": [str(folder) for folder in settings.all_lora_folders],
            "models": [str(folder) for folder in settings.all_model_folders],
        },
    }


def _limits(settings: Settings) -> dict[str, int]:
    return {
        "max_message_bytes": settings.max_message_bytes,
        "queue": settings.queue_limit,
        "history": settings.history_keep,
        "min_side": names.MIN_SIDE,
        "max_side": names.MAX_SIDE,
        "max_count": names.MAX_COUNT,
        "max_steps": names.MAX_STEPS,
    }


def _engines(kind: str) -> list[str]:
    """What can be done here: "diffusion" draws, "onnx" enlarges, enhances and checks."""
    if kind == "fake":
        return ["fake"]
    draws = kind == "diffusion" and find_spec("torch") is not None
    return ["diffusion", "onnx"] if draws else ["onnx"]


def _device(warm: EngineWarm | None) -> dict[str, Any]:
    """The fields of `sidecar.protocol.models.DeviceMemory`."""
    kind = warm.device.partition(":")[0] if warm else "cpu"
    total, free = main_memory() if kind == "cpu" else (None, None)
    name = warm.device_name if warm else "cpu"
    unknown = {"used_by_process": None, "peak": None}
    return {"name": name, "kind": kind, "total": total, "free": free, **unknown}


def main_memory() -> tuple[int, int]:
    """Total and available bytes. Where the system says so by itself, psutil, whose import takes a
    tenth of the handshake, is not asked."""
    try:
        with open("/proc/meminfo", "rb") as file:
            lines = dict(line.split(b":", 1) for line in file)
        return _bytes(lines[b"MemTotal"]), _bytes(lines[b"MemAvailable"])
    except (OSError, KeyError, ValueError):
        memory = import_module("psutil").virtual_memory()
        return memory.total, memory.available


def _bytes(figure: bytes) -> int:
    """Of a figure in kB, as proc(5) has them."""
    return int(figure.split()[0]) * 1024
