"""Picture methods: preview and generate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from sidecar.protocol.base import ImageIn, ImageOut, LoraRef, Params, Result, SamplerName
from sidecar.protocol.lora import StackEntry

MIN_SIDE, MAX_SIDE, MAX_COUNT, MAX_STEPS, MAX_SEED = 64, 4096, 64, 150, 2**53 - 1

Side = Annotated[int, Field(ge=MIN_SIDE, le=MAX_SIDE, multiple_of=8)]


class PictureParams(Params):
    """What to draw. What is left out is chosen to suit the model and reported in `parameters`.

    `loras` replaces the stack in force for this one picture.
    """

    prompt: str = Field(max_length=8192)
    negative_prompt: str = Field("", max_length=8192)
    width: Side | None = None
    height: Side | None = None
    steps: int | None = Field(None, ge=1, le=MAX_STEPS)
    guidance_scale: float | None = Field(None, ge=0, le=50, allow_inf_nan=False)
    sampler: SamplerName | None = None
    seed: int | None = Field(None, ge=0, le=MAX_SEED, description="null: drawn and reported")
    init_image: ImageIn | None = None
    strength: float = Field(0.6, gt=0, le=1, description="of the change, with init_image")
    loras: list[LoraRef] | None = Field(None, max_length=16)

    @field_validator("loras")
    @classmethod
    def _each_once(cls, loras: list[LoraRef] | None) -> list[LoraRef] | None:
        if loras and len({ref.name for ref in loras}) != len(loras):
            raise ValueError("each LoRA may stand once in a stack")
        return loras


class PreviewParams(PictureParams):
    """As generate; few steps, small, inline WebP. A newer one of the same session supersedes."""

    session: str = Field("default", max_length=128)


class GenerateParams(PictureParams):
    count: int = Field(1, ge=1, le=MAX_COUNT)
    delivery: Literal["file", "inline", "both"] = "file"


class PictureParameters(Result):
    """The full recipe of one picture, with every default filled in."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: SamplerName
    seed: int
    model: str
    family: str
    vae: str | None = None
    dtype: str = "auto"
    low_vram: str = "auto"
    no_half_vae: bool = False
    loras: list[StackEntry]
    strength: float | None = Field(None, description="with an initial picture")
    init_image_sha256: str | None = None


class Timings(Result):
    """Milliseconds of each phase; `merge` is the LoRA merge, within `encode`'s place in time."""

    queue_ms: float = 0
    load_ms: float = 0
    merge_ms: float = 0
    encode_ms: float = 0
    denoise_ms: float = 0
    decode_ms: float = 0
    save_ms: float = 0
    total_ms: float = 0


class PreviewResult(Result):
    job_id: str
    session: str
    image: ImageOut
    seed: int
    parameters: PictureParameters
    cached: bool
    timings: Timings


class GeneratedImage(ImageOut):
    history_id: str
    thumbnail: str = Field(description="data URL, WebP")
    seed: int
    parameters: PictureParameters


class GenerateResult(Result):
    job_id: str
    images: list[GeneratedImage]
    timings: Timings


Phase = Literal["queue", "load", "encode", "denoise", "decode", "save"]


class ProgressEvent(Result):
    """`percent` never goes back; 100 only when the file is on disk."""

    job_id: str
    request_id: int | str | None
    phase: Phase
    step: int
    steps: int
    percent: float
    eta_ms: float | None


class PictureEvent(Result):
    """A thumbnail or a step preview."""

    job_id: str
    request_id: int | str | None
    step: int
    steps: int
    image: ImageOut


JsonObject = dict[str, Any]
