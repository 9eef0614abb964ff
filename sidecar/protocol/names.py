"""Names and bounds of the wire that the first answer tells; without pydantic, so that it is there
before the rest of the protocol has been imported."""

from __future__ import annotations

from typing import Literal

Locale = Literal["en", "zh-CN"]
SamplerName = Literal["dpmpp_2m", "dpmpp_2m_karras", "euler", "euler_a", "ddim", "unipc", "lcm"]

MIN_SIDE, MAX_SIDE, MAX_COUNT, MAX_STEPS = 64, 4096, 64, 150
"""Pixels, pictures at once, denoising steps."""

NOTIFICATION_NAMES = (
    "ready",
    "engine_state",
    "model_load",
    "lora_loaded",
    "loras_changed",
    "progress",
    "thumbnail",
    "preview_frame",
    "vram",
    "history_changed",
    "warning",
    "log",
)
"""The keys of `sidecar.protocol.events.NOTIFICATIONS`."""
