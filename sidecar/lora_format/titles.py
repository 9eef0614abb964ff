"""Families of models as people call them."""

from __future__ import annotations

TITLES = {
    "sd15": "Stable Diffusion 1.5",
    "sd21": "Stable Diffusion 2.1",
    "sdxl": "SDXL",
    "starter": "starter",
}


def title(family: str | None) -> str:
    """ "Stable Diffusion 1.5" for "sd15"; "other" for what is not known here."""
    return TITLES.get(family or "", "other")
