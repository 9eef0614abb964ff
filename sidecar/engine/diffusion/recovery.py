"""When memory runs out after all: everything is released, and the work is done once more, a rung
lower on the low-memory ladder. If that fails too, the caller is told what would fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from sidecar.engine.contract import Alternative, Emit, EngineWarning, Event, ImageReady
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.memory import out_of_memory_told
from sidecar.engine.memory.rungs import below
from sidecar.errors import OutOfMemory

T = TypeVar("T")


class Rung:
    """`tried`: the rung on which work is, or last was, tried; a refusal before that has none."""

    def __init__(self) -> None:
        self.tried: str | None = None


def with_one_retry(
    work: Callable[[str | None], T],
    rung: Rung,
    device: Device,
    emit: Emit,
    alternatives: Callable[[str], list[Alternative]],
) -> T:
    """What `work` gives. It takes the rung to work on, None for the one that it finds fit, and
    notes it in `rung`. `alternatives`: to a rung that failed. Raises OutOfMemory, and what `work`
    raises.
    """
    rung.tried = None
    try:
        with out_of_memory_told(device):
            return work(None)
    except OutOfMemory:
        lower = below(rung.tried) if rung.tried is not None else None
        if rung.tried is None:
            raise  # refused before it started, with alternatives
    if lower is None:
        raise _told(device, alternatives(rung.tried))
    emit(EngineWarning("memory_retry", {"rung": lower}))
    try:
        with out_of_memory_told(device):
            return work(lower)
    except OutOfMemory:
        pass  # its frames must be gone before anything else is worked out
    raise _told(device, alternatives(lower))


def _told(device: Device, ways: list[Alternative]) -> OutOfMemory:
    free = (device.used() + device.free()) // 2**20
    return OutOfMemory(free_mb=free, alternatives=[asdict(way) for way in ways])


class Finished:
    """An `Emit` that knows which pictures went out, so that none is drawn again."""

    def __init__(self, emit: Emit, first: int) -> None:
        self._emit = emit
        self.next_index = first

    def __call__(self, event: Event) -> None:
        self._emit(event)
        if isinstance(event, ImageReady):
            self.next_index = event.index + 1
