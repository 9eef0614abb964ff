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
class Afterwards:
    """What is done with pictures once they are drawn, as a forecast counts it. Bytes, main memory.

    `stays`: of what comes into the process before anything is drawn, and is not there yet. `takes`:
    at most, on top, while a picture is finished. `measured`: both were, on this machine.
    `larger`: the same, were the picture drawn so many times smaller and enlarged; where there is
    any, it cannot be enlarged other times.
    """

    stays: int = 0
    takes: int = 0
    measured: bool = True
    larger: tuple[tuple[int, Afterwards], ...] = ()


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
