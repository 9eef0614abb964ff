"""Drivers' libraries are asked where they are, and believed where they answer."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sidecar.engine.memory.other_devices import reported_devices

MEGABYTE = 1024 * 1024


def install(monkeypatch: pytest.MonkeyPatch, name: str, **functions: Any) -> None:
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    for function, body in functions.items():
        setattr(module, function, body)
    monkeypatch.setitem(sys.modules, name, module)


def nvml(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    functions: dict[str, Any] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda handle: f"GPU {handle}".encode(),
        "nvmlDeviceGetPciInfo": lambda handle: SimpleNamespace(domain=0, bus=handle + 1, device=0),
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(
            total=8000 * MEGABYTE, free=(7000 - handle) * MEGABYTE
        ),
        "nvmlDeviceGetComputeRunningProcesses": lambda handle: [
            SimpleNamespace(pid=1, usedGpuMemory=500),
            *([SimpleNamespace(pid=os.getpid(), usedGpuMemory=300)] if handle else []),
        ],
    }
    install(monkeypatch, "pynvml", **{**functions, **changes})


def test_every_nvidia_gpu_is_reported_with_what_this_process_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nvml(monkeypatch)
    first, second = reported_devices()
    assert (first.name, first.kind, first.total) == ("GPU 0", "cuda", 8000 * MEGABYTE)
    assert (first.free, first.used_by_process) == (7000 * MEGABYTE, 0)
    assert second.used_by_process == 300


def test_of_two_cards_of_one_name_only_the_computing_one_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nvml(monkeypatch, nvmlDeviceGetName=lambda handle: "RTX")
    (other,) = reported_devices("RTX", (0, 1, 0))
    assert (other.name, other.used_by_process) == ("RTX", 300)
    (other,) = reported_devices("RTX", (0, 2, 0))
    assert other.used_by_process == 0
    assert len(reported_devices("a processor", None)) == 2


def test_cards_that_cuda_knows_are_not_told_again_as_adapters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nvml(monkeypatch, nvmlDeviceGetCount=lambda: 1, nvmlDeviceGetName=lambda handle: "RTX")
    names = ["RTX", "Iris"]
    install(
        monkeypatch,
        "torch_directml",
        device_count=lambda: 2,
        device_name=names.__getitem__,
        gpu_memory=lambda index, mb_per_tile: [0.0],
    )
    assert [device.name for device in reported_devices("RTX", (0, 1, 0))] == ["Iris"]
    assert [device.name for device in reported_devices("a processor", None)] == ["RTX", "Iris"]


def test_a_driver_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError("NVML shared library not found")

    nvml(monkeypatch, nvmlInit=fails)
    assert reported_devices() == ()


def test_directml_counts_the_tiles_that_are_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        monkeypatch,
        "torch_directml",
        device_count=lambda: 1,
        device_name=lambda index: "Iris",
        gpu_memory=lambda index, mb_per_tile: [1.0, 0.5, 0.0, 0.0],
    )
    (device,) = reported_devices()
    assert (device.name, device.kind) == ("Iris", "directml")
    assert device.total == 4 * MEGABYTE
    assert device.used_by_process == 1.5 * MEGABYTE


@pytest.mark.gpu
def test_a_real_driver_agrees_with_itself() -> None:
    pynvml = pytest.importorskip("pynvml", reason="needs nvidia-ml-py and an NVIDIA GPU")
    assert pynvml is not None
    for device in reported_devices():
        assert device.total is not None
        assert device.free is not None
        assert 0 < device.free <= device.total
