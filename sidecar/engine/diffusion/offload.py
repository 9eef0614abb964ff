"""Weights that rest in main memory and are lent to the device just for as long as they compute.

What is lent is a copy; the weights themselves never leave main memory. So LoRAs are merged into
them, and taken out again bit for bit, exactly as without offload, between two uses.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from sidecar.engine.diffusion.devices import Device

Rested = list[tuple[nn.Parameter, Tensor]]


@contextmanager
def lent(network: nn.Module, device: Device) -> Generator[None]:
    """The whole network is on the device within the block."""
    rested = _lend(network.parameters(), device)
    try:
        yield
    finally:
        _take_back(rested)


def lend_by_layer(network: nn.Module, device: Device) -> None:
    """From now on each layer is on the device only while it computes (sequential offload)."""
    for module in network.modules():
        if next(module.parameters(recurse=False), None) is not None:
            hooks = _LayerHooks(device)
            module.register_forward_pre_hook(hooks.before)
            module.register_forward_hook(hooks.after, always_call=True)


class _LayerHooks:
    """Of one layer. Layers that use each other's weights directly cannot be lent this way."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._rested: Rested = []

    def before(self, module: nn.Module, inputs: Any) -> None:
        self._rested = _lend(module.parameters(recurse=False), self._device)

    def after(self, module: nn.Module, inputs: Any, output: Any) -> None:
        rested, self._rested = self._rested, []
        _take_back(rested)


def _lend(parameters: Iterable[nn.Parameter], device: Device) -> Rested:
    rested: Rested = []
    try:
        for parameter in parameters:
            copy = device.lend(parameter.data)
            rested.append((parameter, parameter.data))
            parameter.data = copy
    except BaseException:
        _take_back(rested)
        raise
    return rested


def _take_back(rested: Rested) -> None:
    for parameter, weight in rested:
        parameter.data = weight
