"""A super-resolution network from an ONNX file, whatever its layout: found out by trying.

What a graph does not say (how much larger the output is, whether it reads 0..1 or 0..255, how far
a pixel's influence reaches) is measured on pictures of a few pixels when it is opened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidecar.engine.known_networks import TILE
from sidecar.engine.upscale import providers
from sidecar.engine.upscale.tail import Tail
from sidecar.errors import ModelUnsupported, NumericalFault

MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
"""Of which sides may have to be: for networks that begin with pixel-unshuffle or see in windows."""
LEAST_SIDE = 16
"""Of what a network is tried on, and of what one that was tried is given."""
LARGEST_MARGIN, FAR = 64, 36
"""The margin of a network that is seen to see far: what it was measured on shows not all of that.
`realesrgan-x4plus` comes out at 42 and needs 64 on photographs."""
NOTICEABLE = 0.25 / 255.0

Floats = NDArray[np.float32]


class Unfit(Exception):
    """Why a graph is no network for enlarging pictures."""


@dataclass(frozen=True)
class Layout:
    """How pictures go in and out. `top`: what white is. `fixed`: the only size it takes.
    `multiple`: what sides must be multiples of. `least`: pixels that it is known to take.
    """

    name: str
    dtype: type[np.generic]
    channels_last: bool
    channels: int
    fixed: tuple[int, int] | None
    top: float
    scale: int
    multiple: int
    least: int = 1


class Network:
    """Enlarges (height, width, 3) pictures of floats in 0..1 by `scale`.

    `margin`: input pixels at a cut edge that must be thrown away. `tile`: a good size to cut to.
    `multiple`: of which pieces must begin, so that it sees all of a picture in the same steps.
    `threads`: of the second session, for networks that come in two.
    """

    def __init__(
        self,
        session: providers.Session,
        layout: Layout,
        threads: int = 1,
        stop: providers.Stop | None = None,
    ) -> None:
        self._session = session
        self._layout = layout
        self._tail = Tail.of(session, threads)
        facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
        self.scale, self.multiple = layout.scale, layout.multiple
        self.provider: str = session.get_providers()[0]
        self.tile = int(facts.get("tile", TILE)) if layout.fixed is None else min(layout.fixed)
        self.margin = int(facts["margin"]) if "margin" in facts else self._measured_margin(stop)
        if layout.fixed is None and "tile" not in facts:
            self.tile = max(self.tile, 4 * self.margin)  # else nearly all of it would be margin

    def __call__(self, picture: Floats, stop: providers.Stop | None = None) -> Floats:
        """Not clipped. Raises NumericalFault when the result has numbers that are none."""
        height, width = picture.shape[:2]
        layout = self._layout
        fed = _fed(_filled(picture, layout), layout)
        out = providers.run(self._session, {layout.name: fed}, stop)
        if self._tail is not None:
            out = self._tail(out, self.scale, stop)
        result = _taken(out, layout)[: height * self.scale, : width * self.scale]
        if not math.isfinite(float(result.sum())):
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

    def _measured_margin(self, stop: providers.Stop | None) -> int:
        """How far a change at any of the four edges is noticed, and some pixels more."""
        if self._layout.fixed is not None:
            return min(16, self.tile // 8)
        strip = np.random.default_rng(1).random((LEAST_SIDE, 2 * LARGEST_MARGIN, 3), np.float32)
        turned = strip.transpose(1, 0, 2)
        reach = max(self._reach(strip, 1, stop), self._reach(turned, 0, stop))
        return max(8, reach + 2) if reach < FAR else LARGEST_MARGIN

    def _reach(self, strip: Floats, axis: int, stop: providers.Stop | None) -> int:
        """Of changes at both ends of a strip along that axis."""
        changed = strip.copy()
        for end in (0, -1):
            edge = changed[:, end] if axis == 1 else changed[end]
            edge[:] = 1.0 - edge
        difference = np.abs(self(changed, stop) - self(strip, stop)).max(axis=(1 - axis, 2))
        noticed = np.flatnonzero(difference > NOTICEABLE) // self.scale
        last = strip.shape[axis] - 1
        return max((min(int(place), last - int(place)) for place in noticed), default=0)


def open_network(
    path: Path,
    name: str,
    threads: int,
    fell_back: providers.FellBack,
    usable: list[str] | None = None,
    stop: providers.Stop | None = None,
) -> Network:
    """Raises AssetMissing, ModelCorrupt, Cancelled, or ModelUnsupported for a graph of another
    kind."""

    def check(session: providers.Session) -> Network:
        try:
            return Network(session, layout_of(session, stop), threads, stop)
        except (Unfit, providers.RunFailed) as exc:
            raise ModelUnsupported(model=name, reason=str(exc)) from exc

    return providers.open_session(path, threads, check, fell_back, usable, stop)[1]


def layout_of(session: providers.Session, stop: providers.Stop | None = None) -> Layout:
    """Raises Unfit and Cancelled."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise Unfit("it has more than one input or output")
    shape, dtype = list(inputs[0].shape), providers.TYPES.get(inputs[0].type)
    if len(shape) != 4 or dtype is None:
        raise Unfit("its input is no picture")
    channels_last = shape[3] in (1, 3) and shape[1] not in (1, 3)
    channels = shape[3] if channels_last else shape[1]
    if not isinstance(channels, int):
        channels = 3  # as many as one likes, says the file
    if channels not in (1, 3):
        raise Unfit(f"its input has {channels} channels, neither 1 nor 3")
    sides = shape[1:3] if channels_last else shape[2:4]
    fixed = (sides[0], sides[1]) if all(isinstance(side, int) for side in sides) else None

    plain = Layout(inputs[0].name, dtype, channels_last, channels, fixed, 1.0, 1, 1)
    facts: dict[str, str] = session.get_modelmeta().custom_metadata_map
    if {"top", "scale"} <= facts.keys():
        return replace(plain, top=float(facts["top"]), scale=int(facts["scale"]))
    found, unit = _scaled(session, plain, stop)
    found = replace(found, least=min(_probe(found).shape[:2]))
    return replace(found, top=255.0) if _reads_bytes(session, found, unit, stop) else found


def _scaled(
    session: providers.Session, plain: Layout, stop: providers.Stop | None
) -> tuple[Layout, Floats]:
    """With the scale, and the multiple of which sides must be: the first that works. And what comes
    out for the probe as 0..1. Raises Unfit and RunFailed."""
    fault: Exception = Unfit("")
    for multiple in MULTIPLES if plain.fixed is None else (1,):
        layout = replace(plain, multiple=multiple)
        try:
            out = _tried(session, layout, stop)
            return replace(layout, scale=_ratio(out, layout)), out
        except (Unfit, providers.RunFailed) as exc:
            fault = exc
    raise fault


def _tried(session: providers.Session, layout: Layout, stop: providers.Stop | None) -> Floats:
    fed = _fed(_probe(layout), layout)
    return _taken(providers.run(session, {layout.name: fed}, stop), layout)


def _ratio(out: Floats, layout: Layout) -> int:
    """Output over input. Raises Unfit."""
    sides = _probe(layout).shape[:2]
    ratios = [large / small for large, small in zip(out.shape[:2], sides, strict=True)]
    scale = round(ratios[0])
    if out.shape[2] != layout.channels or ratios != [scale, scale] or not 1 <= scale <= 8:
        raise Unfit("its output is not its input enlarged by a whole number from 1 to 8")
    return scale


def _reads_bytes(
    session: providers.Session, layout: Layout, unit: Floats, stop: providers.Stop | None
) -> bool:
    """Whether the picture comes back better as 0..255 than as 0..1."""
    if layout.dtype is np.uint8:
        return True
    large = np.repeat(np.repeat(_probe(layout), layout.scale, 0), layout.scale, 1)
    wanted = large if layout.channels == 3 else large.mean(axis=2, keepdims=True)
    eight = _tried(session, replace(layout, top=255.0), stop)
    return bool(np.abs(eight - wanted).mean() < 0.8 * np.abs(unit - wanted).mean())


def _probe(layout: Layout) -> Floats:
    """Smooth, with an edge. Its sides are multiples of what they must be, and of no more."""
    odd = -(-LEAST_SIDE // layout.multiple) | 1
    height, width = layout.fixed or (odd * layout.multiple, (odd + 2) * layout.multiple)
    rows = np.linspace(0.2, 0.8, height, dtype=np.float32)[:, None, None]
    columns = np.linspace(0.3, 0.7, width, dtype=np.float32)[None, :, None]
    picture: Floats = np.repeat((rows + columns) / 2, 3, axis=2).astype(np.float32)
    picture[:, width // 2 :] += 0.2
    return picture


def _filled(picture: Floats, layout: Layout) -> Floats:
    """At a size that the network takes: what is too small goes on like its edge."""
    sides = picture.shape[:2]
    enough = [max(side, layout.least) for side in sides]
    wanted = layout.fixed or [-(-side // layout.multiple) * layout.multiple for side in enough]
    missing = [(0, more - side) for more, side in zip(wanted, sides, strict=True)]
    if not any(more for _, more in missing):
        return picture
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
