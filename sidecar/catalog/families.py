"""Facts about each family of models: what it was trained at, and what suits it."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.protocol.names import SamplerName


@dataclass(frozen=True)
class Defaults:
    """Used where a request leaves something out. Sides in pixels."""

    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: SamplerName
    preview_side: int
    preview_steps: int


@dataclass(frozen=True)
class Family:
    """`text_width`: channels of the text embedding that cross-attention reads; None: it varies."""

    name: str
    text_width: int | None
    defaults: Defaults


UPSCALER = "upscaler"
"""What stands for a family in recipes of pictures that were never drawn, only enlarged."""

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "starter",
            None,
            Defaults(128, 128, 14, 2.5, "dpmpp_2m", preview_side=128, preview_steps=10),
        ),
        Family(
            "sd15",
            768,
            Defaults(512, 512, 25, 7.5, "dpmpp_2m_karras", preview_side=256, preview_steps=10),
        ),
        Family(
            "sd21",
            1024,
            Defaults(768, 768, 25, 7.5, "dpmpp_2m_karras", preview_side=384, preview_steps=10),
        ),
        Family(
            "sdxl",
            2048,
            Defaults(1024, 1024, 30, 6.0, "dpmpp_2m_karras", preview_side=512, preview_steps=10),
        ),
    )
}
