"""vram_report and set_low_vram: memory as it is, and as a picture will need it."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from sidecar.protocol.base import LowVram, Params, Result
from sidecar.protocol.models import Component, DeviceMemory
from sidecar.protocol.pictures import GenerateParams

Rung = Literal["off", "balanced", "aggressive"]
Way = Literal["low_vram", "smaller_upscaled", "smaller"]


class VramReportParams(Params):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, validate_by_name=True, validate_by_alias=True
    )

    for_: GenerateParams | None = Field(
        None,
        alias="for",
        description="a picture, as generate takes it: foretell what it needs; the answer then comes"
        " when the engine is warm",
    )


class SetLowVramParams(Params):
    mode: LowVram = Field(description="how much speed to give for memory")


class Alternative(Result):
    """A change to a request with which it would fit. Also in the `alternatives` of the error
    `out_of_memory`."""

    way: Way = Field(
        description="low_vram: the same picture, more slowly; smaller_upscaled: drawn smaller, then"
        " enlarged to the size that was asked for; smaller"
    )
    width: int = Field(description="to be drawn at, pixels")
    height: int
    count: int
    low_vram: Rung
    upscale: int = Field(description="times it is enlarged after it was drawn; 1: not at all")
    peak: int = Field(description="bytes")
    message: str = Field(description="the same for people")


class Forecast(Result):
    """What a picture will take, bytes. It fits when `peak` is not above `used` + `free`."""

    device: str = Field(description="whose memory counts; cpu: main memory")
    peak: int = Field(description="what the engine will have there at most")
    used: int = Field(description="what it has there now")
    free: int = Field(description="what it could take on top of that")
    fits: bool
    low_vram: Rung = Field(description="the rung of the low-memory ladder it would be drawn on")
    at_once: int = Field(description="pictures drawn together; fewer where memory is short")
    measured: bool = Field(description="learned from pictures drawn here, of whatever size")
    alternatives: list[Alternative] = Field(description="where it does not fit; the nearest first")


class VramReport(Result):
    """Devices, main memory and what each component takes. Bytes."""

    devices: list[DeviceMemory] = Field(description="first the one that computes")
    ram_total: int
    ram_available: int
    rss_front: int = Field(description="resident memory of the front")
    rss_engine: int | None = Field(description="resident memory of the engine; null when none runs")
    components: list[Component]
    forecast: Forecast | None = Field(
        None, description="of the picture asked about; null too when no engine runs"
    )
