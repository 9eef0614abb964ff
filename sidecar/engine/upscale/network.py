"""A super-resolution network from an ONNX file, whatever its layout: found out by trying.

What a graph does not say (how much larger the output is, whether it reads 0..1 or 0..255, how far
a pixel's influence reaches) is measured on pictures of a few pixels when it is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.engine.upscale import providers
from sidecar.engine.upscale.tail import Tail
from sidecar.errors import ModelUnsupported, NumericalFault

PROBE = (16, 24)
TILE = 192
"""Pixels a side, where the file does not say; about 0.5 GB for a network of RRDB's kind."""
LARGEST_MARGIN = 48
NOTICEABLE = 0.25 / 255.0

Floats = NDArray[np.float32]


class Unfit(Exception):
    """Why a graph is no network for enlarging pictures."""


@dataclass(frozen=True)
class Layout:
    """How pictures go in and out. `top`: what white is. `fixed`: the only size it takes."""

    name: str
    dtype: type[np.generic]
    channels_last: bool
    channels: int
    fixed: tuple[int, int] | None
    top: float
    scale: int


class Network:
    """Enlarges (height, width, 3) pictures of floats in 0..1 by `scale`.

    `margin`: input pixels at a cut edge that must be thrown away. `tile`: a good size to cut to.
    `threads`: of the second session, for networks that come in two.
    """

    def __init__(self, session: providers.Session, layout: Layout, threads: int = 1) -> None:
        self._session = session
        self._layout = layout
        self._tail = Tail.of(session, threads)
        facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
        self.scale = layout.scale
        self.provider: str = session.get_providers()[0]
        self.tile = int(facts.get("tile", TILE)) if layout.fixed is None else min(layout.fixed)
        self.margin = int(facts["margin"]) if "margin" in facts else self._measured_margin()

    def __call__(self, picture: Floats, stop: providers.Stop | None = None) -> Floats:
        """Not clipped. Raises NumericalFault when the result has numbers that are none."""
        height, width = picture.shape[:2]
        layout = self._layout
        fed = _fed(_filled(picture, layout.fixed), layout)
        out = providers.run(self._session, {layout.name: fed}, stop)
        if self._tail is not None:
            out = self._tail(out, self.scale, stop)
        result = _taken(out, layout)[: height * self.scale, : width * self.scale]
        if not np.isfinite(result).all():
            raise NumericalFault(what="NaN after enlarging")
        return result if layout.channels == 3 else _with_colours(result, picture)

    def give_back(self) -> None:
        """Free what the runs took, at the end of a job."""
        providers.give_back(self._session)
        if self._tail is not None:
            self._tail.give_back()

    def piece_sides(self, height: int, width: int) -> tuple[int, int]:
        """The largest pieces to cut a picture of that size to. What counts is their area, so where
        a picture is narrower than a tile, pieces may be longer."""
        if self._layout.fixed is not None:
            return self.tile, self.tile
        area = self.tile**2
        return max(self.tile, area // width), max(self.tile, area // height)

    def smaller_sides(self, height: int, width: int) -> tuple[int, int]:
        """What to cut a piece to where there is no memory for the whole of it."""
        if self._layout.fixed is not None:
            return self.tile, self.tile
        return -(-height // 2), -(-width // 2)

    def _measured_margin(self) -> int:
        """How far to the right a change at the left edge is noticed, and some pixels more."""
        if self._layout.fixed is not None:
            return min(16, self.tile // 8)
        dice = np.random.default_rng(1)
        one = dice.random((PROBE[0], 2 * LARGEST_MARGIN, 3), np.float32)
        other = one.copy()
        other[:, 0] = 1.0 - other[:, 0]
        difference = np.abs(self(one) - self(other)).max(axis=(0, 2))
        noticed = np.flatnonzero(difference > NOTICEABLE)
        reach = int(noticed[-1]) // self.scale if len(noticed) else 0
        return min(LARGEST_MARGIN, max(8, reach + 2))


def open_network(
    path: Path,
    name: str,
    threads: int,
    fell_back: providers.FellBack,
    usable: list[str] | None = None,
) -> Network:
    """Raises AssetMissing, ModelCorrupt, or ModelUnsupported for a graph of another kind."""

    def check(session: providers.Session) -> Network:
        try:
            return Network(session, layout_of(session), threads)
        except (Unfit, providers.RunFailed) as exc:
            raise ModelUnsupported(model=name, reason=str(exc)) from exc

    return providers.open_session(path, threads, check, fell_back, usable)[1]


def layout_of(session: providers.Session) -> Layout:
    """Raises Unfit."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise Unfit("it has more than one input or output")
    shape, dtype = list(inputs[0].shape), providers.TYPES.get(inputs[0].type)
    if len(shape) != 4 or dtype is None:
        raise Unfit("its input is no picture")
    channels_last = shape[3] in (1, 3) and shape[1] not in (1, 3)
    channels = shape[3] if channels_last else shape[1]
    if channels not in (1, 3):
        raise Unfit(f"its input has {channels} channels, neither 1 nor 3")
    sides = shape[1:3] if channels_last else shape[2:4]
    fixed = (sides[0], sides[1]) if all(isinstance(side, int) for side in sides) else None

    def layout(top: float, scale: int) -> Layout:
        return Layout(inputs[0].name, dtype, channels_last, channels, fixed, top, scale)

    facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if {"top", "scale"} <= facts.keys():
        return layout(float(facts["top"]), int(facts["scale"]))
    scale, result = _scale(session, layout)
    top = 255.0 if dtype is np.uint8 or _reads_bytes(session, layout, scale, result) else 1.0
    return layout(top, scale)


def _scale(session: providers.Session, layout: Callable[[float, int], Layout]) -> tuple[int, Any]:
    """Output over input, and what comes out for the probe as 0..1."""
    guess = layout(1.0, 1)
    probe = _probe(guess.fixed)
    out = _taken(providers.run(session, {guess.name: _fed(probe, guess)}), guess)
    ratios = [large / small for large, small in zip(out.shape[:2], probe.shape[:2], strict=True)]
    scale = round(ratios[0])
    if out.shape[2] != guess.channels or ratios != [scale, scale] or not 1 <= scale <= 8:
        raise Unfit("its output is not its input enlarged by a whole number from 1 to 8")
    return scale, out


def _reads_bytes(
    session: providers.Session, layout: Callable[[float, int], Layout], scale: int, unit: Floats
) -> bool:
    """Whether the picture comes back better as 0..255 than as 0..1."""
    guess = layout(255.0, scale)
    probe = _probe(guess.fixed)
    large = np.repeat(np.repeat(probe, scale, 0), scale, 1)
    wanted = large if guess.channels == 3 else large.mean(axis=2, keepdims=True)
    eight = _taken(providers.run(session, {guess.name: _fed(probe, guess)}), guess)
    return bool(np.abs(eight - wanted).mean() < 0.8 * np.abs(unit - wanted).mean())


def _probe(fixed: tuple[int, int] | None) -> Floats:
    """Smooth, with an edge."""
    height, width = fixed or PROBE
    rows = np.linspace(0.2, 0.8, height, dtype=np.float32)[:, None, None]
    columns = np.linspace(0.3, 0.7, width, dtype=np.float32)[None, :, None]
    picture: Floats = np.repeat((rows + columns) / 2, 3, axis=2).astype(np.float32)
    picture[:, width // 2 :] += 0.2
    return picture


def _filled(picture: Floats, fixed: tuple[int, int] | None) -> Floats:
    """At the only size that a network takes: what is too small goes on like its edge."""
    if fixed is None:
        return picture
    missing = [(0, wanted - had) for wanted, had in zip(fixed, picture.shape[:2], strict=True)]
    filled: Floats = np.pad(picture, [*missing, (0, 0)], mode="edge")
    return filled


def _fed(picture: Floats, layout: Layout) -> NDArray[np.generic]:
    values = picture if layout.channels == 3 else _luma(picture)
    if layout.top != 1.0:
        values = values * np.float32(layout.top)
    if layout.dtype is np.uint8:
        values = np.rint(values).clip(0, 255)
    batch = values[None] if layout.channels_last else values.transpose(2, 0, 1)[None]
    return np.ascontiguousarray(batch, dtype=layout.dtype)


def _taken(out: Any, layout: Layout) -> Floats:
    """(height, width, channels) in 0..1."""
    shape: tuple[int, ...] = getattr(out, "shape", ())
    if len(shape) != 4 or shape[0] != 1:
        raise Unfit("its output is no picture")
    values: Floats = np.asarray(out[0], np.float32)
    values = values if layout.channels_last else values.transpose(1, 2, 0)
    top = 255.0 if out.dtype == np.uint8 else layout.top
    return values if top == 1.0 else values / top


def _luma(picture: Floats) -> Floats:
    """Rec. 601, as JPEG has it."""
    return (picture @ np.array([0.299, 0.587, 0.114], np.float32))[:, :, None]


def _with_colours(luma: Floats, picture: Floats) -> Floats:
    """A network of brightness alone: the colours are enlarged smoothly, as eyes forgive."""
    from PIL import Image

    size = (luma.shape[1], luma.shape[0])
    differences = picture - _luma(picture)
    planes = [
        np.asarray(Image.fromarray(differences[:, :, i]).resize(size, Image.Resampling.BICUBIC))
        for i in range(3)
    ]
    return luma + np.stack(planes, axis=2)
