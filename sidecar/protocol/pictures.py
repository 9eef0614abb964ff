"""Picture methods: preview and generate."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from sidecar.protocol.base import ImageIn, ImageOut, LoraRef, Params, Result
from sidecar.protocol.finishing import CheckResult, Checks, Delivery, Plan
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.names import MAX_COUNT, MAX_SIDE, MAX_STEPS, MIN_SIDE, SamplerName

MAX_SEED = 2**53 - 1

Side = Annotated[int, Field(ge=MIN_SIDE, le=MAX_SIDE, multiple_of=8)]


class PictureParams(Params):
    """What to draw. What is left out is chosen to suit the model and reported in `parameters`.

    `loras` replaces the stack in force for this one picture.
    """

    prompt: str = Field(max_length=8192, description="what to draw")
    negative_prompt: str = Field("", max_length=8192, description="what to keep out")
    width: Side | None = Field(None, description="pixels; null: the model's own size")
    height: Side | None = Field(None, description="pixels; null: the model's own size")
    steps: int | None = Field(
        None, ge=1, le=MAX_STEPS, description="denoising steps; null: what suits the model"
    )
    guidance_scale: float | None = Field(
        None,
        ge=0,
        le=50,
        allow_inf_nan=False,
        description="how closely the prompt is followed; null: what suits the model",
    )
    sampler: SamplerName | None = Field(None, description="null: what suits the model")
    seed: int | None = Field(None, ge=0, le=MAX_SEED, description="null: drawn and reported")
    init_image: ImageIn | None = Field(None, description="a picture to start from")
    strength: float = Field(0.6, gt=0, le=1, description="of the change, with init_image")
    loras: list[LoraRef] | None = Field(
        None, max_length=16, description="for this picture only; null: the stack in force"
    )
    style: str | None = Field(
        None,
        max_length=255,
        description="a LoRA's name: its prompt template is applied, and it is on for this picture",
    )
    checks: Checks | None = Field(None, description="of finished pictures")
    allow_suspicious: bool = Field(False, description="use files that the safety scan doubts")
    allow_conflict: bool = Field(False, description="lower the alphas of styles that conflict")

    @field_validator("loras")
    @classmethod
    def _each_once(cls, loras: list[LoraRef] | None) -> list[LoraRef] | None:
        if loras and len({ref.name for ref in loras}) != len(loras):
            raise ValueError("each LoRA may stand once in a stack")
        return loras


class PreviewParams(PictureParams):
    """As generate; few steps, small, inline WebP. A newer one of the same session supersedes."""

    session: str = Field(
        "default", max_length=128, description="one slider or one view; its newest preview wins"
    )


class GenerateParams(PictureParams):
    count: int = Field(1, ge=1, le=MAX_COUNT, description="pictures; each takes the next seed")
    upscale: Literal[1, 2, 4] | None = Field(
        None,
        description="draw at a half or a quarter of the size and enlarge; 1: draw at full size;"
        " null: without a GPU, sizes far beyond the model's own are enlarged",
    )
    upscaler: str | None = Field(
        None, max_length=255, description="as list_models has it; null: the quick one"
    )
    delivery: Delivery = Field(
        "file", description="path, data URL, or both; the file is written in any case"
    )


class PictureParameters(Result):
    """The full recipe of one picture, with every default filled in."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: SamplerName | None = Field(description="null: nothing was drawn, only enlarged")
    seed: int
    model: str
    family: str
    vae: str | None = None
    dtype: str = "auto"
    low_vram: str = "auto"
    no_half_vae: bool = False
    loras: list[StackEntry]
    style: str | None = Field(None, description="whose words were merged into the prompt")
    own_prompt: str | None = Field(None, description="with a style: the prompt as it was sent")
    own_negative_prompt: str | None = Field(None, description="likewise")
    strength: float | None = Field(None, description="with an initial picture")
    init_image_sha256: str | None = None
    method: Literal["generate", "enhance", "upscale"] = "generate"
    upscale: int = Field(1, description="times it was enlarged after it was drawn")
    upscaler: str | None = Field(None, description="the network that enlarged it")
    drawn_width: int | None = Field(None, description="where it was enlarged: pixels before that")
    drawn_height: int | None = None


class Timings(Result):
    """Milliseconds of each phase; `merge` is the LoRA merge, within `encode`'s place in time."""

    queue_ms: float = Field(0, description="waiting for its turn")
    load_ms: float = Field(0, description="model and LoRA files")
    merge_ms: float = Field(0, description="LoRA stack into the weights")
    encode_ms: float = Field(0, description="prompt")
    denoise_ms: float = Field(0, description="all steps")
    decode_ms: float = Field(0, description="latents to pixels")
    upscale_ms: float = Field(0, description="enlarging")
    check_ms: float = Field(0, description="looking for what should not be in pictures")
    save_ms: float = Field(0, description="file and history")
    total_ms: float = Field(0, description="from request to answer")


class PreviewResult(Result):
    job_id: str
    session: str
    image: ImageOut
    seed: int
    parameters: PictureParameters
    cached: bool = Field(description="came out of the cache of previews")
    checks: CheckResult | None = Field(None, description="null: none were asked for")
    timings: Timings


class GeneratedImage(ImageOut):
    history_id: str = Field(description="for history_rollback, repeat and the like")
    thumbnail: str = Field(description="data URL, WebP")
    seed: int
    parameters: PictureParameters
    checks: CheckResult | None = Field(None, description="null: none were asked for")


class GenerateResult(Result):
    job_id: str
    images: list[GeneratedImage]
    timings: Timings
    plan: Plan | None = Field(None, description="null: drawn at the size that was asked for")


class EnlargeResult(GenerateResult):
    """Of upscale and enhance: one picture, the path that was taken, and why."""

    path_used: Literal["diffusion", "onnx"]
    why: str = Field(description="for people")
    provider: str = Field(description="execution provider of ONNX Runtime; empty: not used")


Phase = Literal["queue", "load", "encode", "denoise", "decode", "upscale", "check", "save"]


class ProgressEvent(Result):
    """`percent` never goes back; 100 only when the file is on disk."""

    job_id: str
    request_id: int | str | None
    phase: Phase
    step: int = Field(description="finished steps of this phase")
    steps: int
    percent: float = Field(description="of the whole request")
    eta_ms: float | None = Field(description="milliseconds to the end; null: not known yet")


class PictureEvent(Result):
    """A thumbnail or a step preview."""

    job_id: str
    request_id: int | str | None
    step: int
    steps: int
    image: ImageOut


JsonObject = dict[str, Any]
