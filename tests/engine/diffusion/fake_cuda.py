"""A device with memory of its own that is none: computes on the CPU, counts what it is lent."""

from __future__ import annotations

import weakref
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from sidecar.engine.contract import DeviceInfo
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.memory.ram import Peak

GIGABYTE = 2**30


@dataclass
class Lent:
    """Bytes on the device now and at most."""

    now: int = 0
    most: int = 0
    times: int = 0

    def add(self, size: int) -> None:
        self.now += size
        self.times += size > 0
        self.most = max(self.most, self.now)


@dataclass(frozen=True)
class FakeCuda(Device):
    total: int = 8 * GIGABYTE
    room: int = 8 * GIGABYTE
    lent: Lent = field(default_factory=Lent, compare=False)

    @property
    def torch(self) -> torch.device:
        return torch.device("cpu")

    @property
    def has_own_memory(self) -> bool:
        return True

    def dtype(self, asked: str) -> torch.dtype:
        """Half precision is slow to compute with on a CPU, and of no interest here."""
        return torch.float32

    def lend(self, weight: Tensor) -> Tensor:
        copy = super().lend(weight)
        self.lent.add(copy.nbytes)
        weakref.finalize(copy.untyped_storage(), self.lent.add, -copy.nbytes)
        return copy

    def used(self) -> int:
        return self.lent.now

    def free(self) -> int:
        return self.room

    @contextmanager
    def span(self) -> Generator[Peak]:
        peak = Peak()
        yield peak
        peak.bytes = self.lent.most

    def info(self) -> DeviceInfo:
        return DeviceInfo(
            self.name, self.kind, self.total, self.room, self.lent.now, self.lent.most
        )


def fake_cuda(room: int = 8 * GIGABYTE) -> FakeCuda:
    return FakeCuda("cuda", "Fake GPU", room=room)
