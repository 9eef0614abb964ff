"""One piece of a picture through a network, with everything that a network does not know of:
alpha, pictures in grey, scales that are not its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from sidecar.engine.upscale import providers
from sidecar.engine.upscale.network import Network
from sidecar.errors import ModelUnsupported, NumericalFault

HALO = 4
"""Pixels by which colours go on under what is transparent."""
AROUND = 5
"""Pixels a side, within which transparency is expected to come from."""
SAME_LIGHT = 0.2
"""How far the mean brightness of a piece may move, of 0..1: what is more is no enlargement."""

BAND = 16
"""Rows that are turned into bytes at once."""

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Piece:
    """Enlarges (height, width, channels) pieces `scale` times; channels: see `opening.CHANNELS`.

    Raises ModelUnsupported for a scale beyond what the network does.
    """

    def __init__(
        self, network: Network, name: str, scale: int, stop: providers.Stop | None = None
    ) -> None:
        if scale > network.scale:
            reason = f"it enlarges {network.scale} times, not {scale}"
            raise ModelUnsupported(model=name, reason=reason)
        self.network = network
        self._scale = scale
        self._stop = stop

    def __call__(self, pixels: Pixels) -> Pixels:
        channels = pixels.shape[2]
        if channels in (1, 3):
            return self._colours(pixels)
        colours = self._colours(pixels[:, :, :-1])
        return np.concatenate([colours, self._alpha(pixels[:, :, -1:])], axis=2)

    def _alpha(self, alpha: Pixels) -> Pixels:
        """Like a grey picture, but never beyond what is around: what is opaque stays so to the last
        level, and what is clear."""
        plain = Image.fromarray(alpha[:, :, 0])
        least, most = (
            np.asarray(plain.filter(of_all))
            .repeat(self._scale, axis=0)
            .repeat(self._scale, axis=1)[:, :, None]
            for of_all in (ImageFilter.MinFilter(AROUND), ImageFilter.MaxFilter(AROUND))
        )
        if (alpha == alpha[0, 0]).all():
            return least
        return np.clip(self._colours(alpha), least, most)

    def _colours(self, pixels: Pixels) -> Pixels:
        picture = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        unit = picture.astype(np.float32) / 255.0
        out = self.network(unit, self._stop)
        if pixels.shape[2] == 1:
            out = out.mean(axis=2, keepdims=True)
        enlarged, light = in_bytes(out)
        if abs(light - float(unit.mean())) > SAME_LIGHT:
            raise NumericalFault(what="brightness lost in enlarging")
        return self._at_scale(enlarged)

    def _at_scale(self, pixels: Pixels) -> Pixels:
        if self._scale == self.network.scale:
            return pixels
        height, width = (side * self._scale // self.network.scale for side in pixels.shape[:2])
        picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        small = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
        return small.reshape(height, width, -1)


def in_bytes(picture: Floats) -> tuple[Pixels, float]:
    """0..1 as 0..255, rounded and clipped, and the mean of it before that.

    A band of rows at a time through the same few buffers, which stay in the processor's cache: over
    the whole picture each of these steps would go to memory and back.
    """
    height, width, channels = picture.shape
    planes = picture.transpose(2, 0, 1)  # as networks give them
    result = np.empty(picture.shape, np.uint8)
    floats = np.empty((channels, BAND, width), np.float32)
    total = 0.0
    for top in range(0, height, BAND):
        rows = slice(top, min(top + BAND, height))
        band = floats[:, : rows.stop - top]
        np.multiply(planes[:, rows], np.float32(255.0), out=band)
        total += float(band.sum())
        np.clip(np.rint(band, out=band), 0, 255, out=band)
        result[rows] = band.astype(np.uint8).transpose(1, 2, 0)
    return result, total / (255.0 * picture.size)


def under_transparency(picture: Image.Image) -> Image.Image:
    """RGBA or LA with sensible colours where nothing shows, so that no edge draws from them."""
    alpha = picture.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return picture
    spread = picture.convert("RGBA").convert("RGBa").filter(ImageFilter.BoxBlur(HALO))
    hidden = alpha.point(lambda value: 0 if value else 255)
    filled = Image.composite(spread.convert("RGBA"), picture.convert("RGBA"), hidden)
    filled.putalpha(alpha)
    return filled.convert(picture.mode)
