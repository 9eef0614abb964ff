"""What all parameter and result models have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Params(BaseModel):
    """Parameters of a method: an object; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Result(BaseModel):
    """What a method answers; fields may be added in later versions."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class Empty(Params):
    """No parameters."""


class EmptyResult(Result):
    """An empty object."""


Alpha = Annotated[
    float,
    Field(
        ge=-2.0,
        le=2.0,
        allow_inf_nan=False,
        description="Strength of a LoRA; 0 is off, 1 is as trained.",
    ),
]
LowVram = Literal["auto", "off", "balanced", "aggressive"]
DType = Literal["auto", "float32", "float16", "bfloat16"]


class ImageIn(Params):
    """A picture sent in: a file on this machine, or a base64 data URL. Exactly one of them."""

    path: str | None = Field(None, description="Absolute path of a PNG, JPEG or WebP file.")
    data_url: str | None = Field(None, description="data:image/…;base64,…")

    @model_validator(mode="after")
    def _exactly_one(self) -> ImageIn:
        if (self.path is None) == (self.data_url is None):
            raise ValueError("give either path or data_url")
        return self


class ImageOut(Result):
    """A picture sent out: a path, a data URL, or both."""

    mime: str = Field(description="image/png, image/webp")
    width: int = Field(description="pixels")
    height: int = Field(description="pixels")
    bytes: int = Field(description="size of the encoded picture")
    path: str | None = Field(None, description="absolute path, when delivered as a file")
    data_url: str | None = Field(None, description="data:image/…;base64,…, when delivered inline")


class LoraRef(Params):
    """One LoRA of a stack, by name."""

    name: str = Field(min_length=1, max_length=255, description="as list_loras has it")
    alpha: Alpha = 0.7
