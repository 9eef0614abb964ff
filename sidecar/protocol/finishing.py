"""What is done with finished pictures: looked at, enlarged, made better."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sidecar.protocol.base import Alpha, ImageIn, Params, Result
from sidecar.protocol.names import SamplerName

CheckAction = Literal["off", "warn", "block"]
Delivery = Literal["file", "inline", "both"]
EnhancePath = Literal["auto", "diffusion", "onnx"]
Threshold = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


class Checks(Params):
    """What is looked for in a picture, and what a finding does: it is told, or the picture is also
    blurred. null: as the sidecar was started."""

    nsfw: CheckAction | None = Field(None, description="nudity and the like")
    codes: CheckAction | None = Field(None, description="QR codes and bar codes")
    text: CheckAction | None = Field(None, description="writing, watermarks, web addresses")
    nsfw_threshold: Threshold | None = Field(
        None, description="0..1; what scores more is a finding"
    )


class Finding(Result):
    """`box`: left, top, width, height in pixels; null: the picture as a whole."""

    check: Literal["nsfw", "codes", "text"]
    kind: Literal["nsfw", "qr_code", "bar_code", "text", "address"]
    action: CheckAction = Field(description="what was asked for: warn or block")
    score: float = Field(description="0..1, how sure it is")
    text: str = Field("", description="what a code or a line says")
    box: tuple[int, int, int, int] | None = None


class CheckResult(Result):
    """`blocked`: the picture was blurred; `message` and `hint` say why, for people."""

    checked: list[str] = Field(description="the checks that were made")
    findings: list[Finding]
    blocked: bool = False
    message: str | None = None
    hint: str | None = None


class Plan(Result):
    """At which size pictures were drawn, and how many times they were enlarged afterwards."""

    width: int
    height: int
    upscale: int
    upscaler: str | None = None
    why: str = Field(description="for people")


class UpscalerCard(Result):
    """A super-resolution network: one that comes with the sidecar, or an .onnx file of a models
    folder."""

    name: str
    path: str
    bytes: int
    bundled: bool


class UpscaleParams(Params):
    """A larger picture, turned as its EXIF says; alpha, colour profile and grey are kept."""

    image: ImageIn
    scale: int = Field(2, ge=2, le=4, description="times each side")
    model: str | None = Field(
        None, max_length=255, description="as list_models has it; null: the quick one"
    )
    checks: Checks | None = None
    delivery: Delivery = Field("file", description="path, data URL, or both")


class EnhanceParams(Params):
    """A better picture of the same thing, at its own size or enlarged.

    With diffusion it is redrawn a little (img2img), with ONNX it is sharpened by super-resolution.
    """

    image: ImageIn
    scale: int = Field(1, ge=1, le=4, description="times each side; 1: its own size")
    path: EnhancePath = Field(
        "auto", description="auto: diffusion where there is a GPU and a model, else onnx"
    )
    lora: str | None = Field(
        None, max_length=255, description="for diffusion; null: the stack in force"
    )
    alpha: Alpha | None = Field(None, description="of the LoRA; null: the usual strength")
    prompt: str = Field("", max_length=8192, description="for diffusion: what it shows")
    negative_prompt: str = Field("", max_length=8192)
    strength: float = Field(0.4, gt=0, le=1, description="of the redrawing")
    steps: int = Field(10, ge=1, le=150)
    guidance_scale: float | None = Field(None, ge=0, le=50, allow_inf_nan=False)
    sampler: SamplerName = "dpmpp_2m"
    seed: int | None = Field(None, ge=0, le=2**53 - 1, description="null: drawn and reported")
    upscaler: str | None = Field(
        None, max_length=255, description="as list_models has it; null: the quick one"
    )
    anyway: bool = Field(False, description="also a tiny, blank or hopelessly blurred picture")
    checks: Checks | None = None
    allow_suspicious: bool = Field(False, description="use files that the safety scan doubts")
    delivery: Delivery = Field("file", description="path, data URL, or both")
