"""Colour words and the recolouring of flat vector art."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

HEX = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b")

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.985, 0.85, 0.53),
    "orange": (0.075, 0.95, 0.54),
    "yellow": (0.132, 0.95, 0.56),
    "green": (0.375, 0.75, 0.38),
    "blue": (0.575, 0.85, 0.50),
    "purple": (0.755, 0.58, 0.52),
    "pink": (0.915, 0.85, 0.70),
}
"""Colour word -> hue, saturation and lightness that a recoloured subject's main colour takes."""


@dataclass(frozen=True)
class Icon:
    """One vector icon: the inside of its <svg> element and its size."""

    body: str
    width: float
    height: float


def hex_to_hls(text: str) -> tuple[float, float, float]:
    """`#rgb` or `#rrggbb` to hue, lightness, saturation, each 0..1."""
    digits = text[1:] if len(text) == 7 else "".join(c * 2 for c in text[1:])
    return colorsys.rgb_to_hls(*(int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)))


def hls_to_hex(hue: float, lightness: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue % 1, min(max(lightness, 0), 1), min(max(saturation, 0), 1))
    return "#" + "".join(f"{round(c * 255):02x}" for c in rgb)


def hue_distance(a: float, b: float) -> float:
    """Signed way round the colour circle from `b` to `a`, -0.5..0.5."""
    return (a - b + 0.5) % 1 - 0.5


def same_family(colour: tuple[float, float, float], main: tuple[float, float, float]) -> bool:
    """Whether two HLS colours count as shades of one another."""
    if main[2] < 0.16 or main[1] > 0.93:  # grey or nearly white main colour
        return colour[2] < 0.3 and abs(colour[1] - main[1]) < 0.3 and colour[1] > 0.3
    near = abs(hue_distance(colour[0], main[0])) < 0.095
    return near and colour[2] > 0.15 and 0.12 < colour[1] < 0.95


def recolour(icon: Icon, main: str, colour: str) -> Icon:
    """Give the icon's main colour and its shades a new hue; all other colours stay."""
    hue, saturation, lightness = COLOURS[colour]
    base = hex_to_hls(main)

    def replace(match: re.Match[str]) -> str:
        old = hex_to_hls(match.group())
        if not same_family(old, base):
            return match.group()
        shift = 0.5 * hue_distance(old[0], base[0]) if base[2] >= 0.16 else 0.0
        level = lightness + 0.8 * (old[1] - base[1])
        strength = saturation * (min(old[2] / base[2], 1.15) if base[2] >= 0.16 else 1.0)
        return hls_to_hex(hue + shift, level, strength)

    return Icon(HEX.sub(replace, icon.body), icon.width, icon.height)


def colour_word(main: str) -> str | None:
    """The colour word that fits a fill, if one clearly does."""
    hue, lightness, saturation = hex_to_hls(main)
    if saturation < 0.4 or not 0.3 < lightness < 0.8:
        return None
    word, distance = min(
        ((w, abs(hue_distance(hue, c[0])) + 0.25 * abs(lightness - c[2]))
         for w, c in COLOURS.items()),
        key=lambda pair: pair[1],
    )  # fmt: skip
    return word if distance < 0.07 else None
