"""Memory: what there is, and what a picture will take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ComponentInfo:
    name: str
    bytes: int
    dtype: str
    device: str


@dataclass(frozen=True)
class DeviceInfo:
    name: str
    kind: str
    total: int | None
    free: int | None
    used_by_process: int | None
    peak: int | None


@dataclass(frozen=True)
class Alternative:
    """A change to a request with which it would fit. `peak` bytes.

    `way`: "low_vram" (the same picture, more slowly), "smaller_upscaled" (drawn at that size, then
    enlarged `upscale` times), or "smaller". Fewer at once is not offered but done.
    """

    way: str
    width: int
    height: int
    count: int
    low_vram: str
    upscale: int
    peak: int


@dataclass(frozen=True)
class Forecast:
    """What a request will take, before it starts. Bytes.

    `device`: kind of the one whose memory counts ("cpu": main memory). `peak`: what this process
    will have there at most; `used`: what it has now; `free`: what it could take on top of that.
    `at_once`: pictures drawn together. `measured`: runs of this kind were measured on this machine.
    """

    device: str
    peak: int
    used: int
    free: int
    fits: bool
    low_vram: str
    at_once: int
    measured: bool
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class MemoryReport:
    """`forecast`: of the picture that was asked about; None also where nothing can be told."""

    ticket: int
    rss: int
    devices: tuple[DeviceInfo, ...]
    components: tuple[ComponentInfo, ...]
    forecast: Forecast | None = None
