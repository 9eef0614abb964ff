"""Pictures and LoRA stacks as people write them, and as the wire has them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

from sidecar.protocol.base import ImageOut
from sidecar.protocol.names import SamplerName

Picture = str | Path | bytes
"""A path, or the bytes of an encoded picture."""


class PictureOptions(TypedDict, total=False):
    """What may be said about a picture beside its prompt; the rest suits the model.

    Sides in pixels, multiples of 8. `loras`: name to alpha, instead of the stack in force. `style`:
    a LoRA's name, whose words are worked into the prompt.
    """

    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: SamplerName
    seed: int
    init_image: Picture
    strength: float
    loras: Mapping[str, float]
    style: str
    checks: Mapping[str, Any]
    allow_suspicious: bool
    allow_conflict: bool


class EnhanceOptions(TypedDict, total=False):
    """What may be said about a picture that is made better; see `EnhanceParams`."""

    scale: int
    path: Literal["auto", "diffusion", "onnx"]
    lora: str
    alpha: float
    prompt: str
    negative_prompt: str
    strength: float
    steps: int
    guidance_scale: float
    sampler: SamplerName
    seed: int
    upscaler: str
    anyway: bool
    checks: Mapping[str, Any]
    allow_suspicious: bool


def wire_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same as parameters of a request."""
    params = dict(options)
    if "init_image" in params:
        params["init_image"] = wire_picture(params["init_image"])
    if params.get("loras") is not None:
        params["loras"] = wire_stack(params["loras"])
    return params


def wire_picture(picture: Picture) -> dict[str, str]:
    if isinstance(picture, bytes):
        encoded = base64.b64encode(picture).decode()
        return {"data_url": f"data:{_mime(picture)};base64,{encoded}"}
    return {"path": str(Path(picture).absolute())}


def wire_stack(loras: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"name": name, "alpha": alpha} for name, alpha in loras.items()]


def picture_bytes(image: ImageOut) -> bytes:
    """The encoded picture, from its data URL or its file."""
    if image.data_url is not None:
        return base64.b64decode(image.data_url.partition(",")[2])
    if image.path is not None:
        return Path(image.path).read_bytes()
    raise ValueError("the picture has neither a path nor a data URL")


def _mime(data: bytes) -> str:
    if data.startswith(b"\x89PNG"):
        return "image/png"
    return "image/jpeg" if data.startswith(b"\xff\xd8") else "image/webp"
