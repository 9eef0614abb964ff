"""img2img over a picture of any size: in one piece where that fits, else piece by piece.

Every piece is drawn with the same seed, from a picture that the next piece shares a broad strip of,
so that what they make of it is alike where one fades into the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.engine.contract import (
    CancelToken,
    Drawing,
    Emit,
    Event,
    Frame,
    ImageReady,
    Progress,
    Rendered,
    RenderSpec,
)
from sidecar.engine.pictures.opening import open_picture
from sidecar.engine.upscale.tiles import enlarged_rows, spans
from sidecar.errors import SidecarError

SIDE_STEP = 8
LEAST_SIDE = 64
MARGIN, FEATHER = 8, 32
NOTHING = Rendered((), 0.0, 0.0, 0.0, 0.0, 0.0)

Pixels = NDArray[np.uint8]


@dataclass
class Redrawing:
    """`tile`: pixels a side, above which it goes piece by piece. `took`: sums over all pieces."""

    job_id: str
    spec: RenderSpec
    tile: int
    drawing: Drawing
    emit: Emit
    cancel: CancelToken
    took: Rendered = NOTHING
    _done: int = 0
    _pieces: int = 1
    _image: ImageReady | None = field(default=None)

    def redrawn(self, pixels: Pixels) -> Pixels:
        """The same size, (height, width, 3). Of what it holds itself, only the result is large."""
        height, width = pixels.shape[:2]
        pixels = _filled(pixels)
        tile = self._side_that_fits(pixels)
        rows, columns = (spans(side, tile, MARGIN, FEATHER, SIDE_STEP) for side in pixels.shape[:2])
        self._pieces = len(rows) * len(columns)
        result, top = np.empty((height, width, 3), np.uint8), 0
        for strip in enlarged_rows(pixels, 1, rows, columns, self._piece):
            wanted = strip[: height - top, :width]
            result[top : top + len(wanted)] = wanted
            top += len(wanted)
        return result

    def _side_that_fits(self, pixels: Pixels) -> int:
        """Halved until the memory that is there is foretold to be enough for the largest piece."""
        tile = min(self.tile, max(pixels.shape[:2]))
        while tile > 2 * LEAST_SIDE and not self._fits(pixels[:tile, :tile]):
            tile = tile // 2 // SIDE_STEP * SIDE_STEP
        return tile

    def _fits(self, piece: Pixels) -> bool:
        forecast = self.drawing.memory(0, self._spec_of(piece)).forecast
        return forecast is None or forecast.fits

    def _spec_of(self, piece: Pixels) -> RenderSpec:
        height, width = piece.shape[:2]
        return replace(
            self.spec,
            width=width,
            height=height,
            init_image=_as_png(piece),
            image_format="png",
            thumbnail_px=0,
            frame_every=self.spec.frame_every if self._pieces == 1 else 0,
        )

    def _piece(self, pixels: Pixels) -> Pixels:
        self.cancel.check()
        spec = self._spec_of(pixels)
        took = self.drawing.render(self.job_id, spec, self._heard, self.cancel)
        self.took = _sum(self.took, took)
        self._done += 1
        if self._image is None:
            raise SidecarError()
        return np.asarray(open_picture(self._image.data).picture.convert("RGB"))

    def _heard(self, event: Event) -> None:
        """Progress of one piece as that of the whole; its picture is only a part."""
        match event:
            case ImageReady():
                self._image = event
            case Frame() if self._pieces > 1:
                pass
            case Progress() if event.phase == "load":
                if self._done == 0:
                    self.emit(event)
            case Progress():
                done = self._done * event.steps + event.step
                steps = self._pieces * event.steps
                self.emit(replace(event, step=done, steps=steps))
            case _:
                self.emit(event)


def _filled(pixels: Pixels) -> Pixels:
    """Sides that can be drawn; what is added goes on like the edge."""
    sides = [max(LEAST_SIDE, -(-side // SIDE_STEP) * SIDE_STEP) for side in pixels.shape[:2]]
    if sides == [*pixels.shape[:2]]:
        return pixels
    missing = [(0, side - had) for side, had in zip(sides, pixels.shape[:2], strict=True)]
    filled: Pixels = np.pad(pixels, [*missing, (0, 0)], mode="edge")
    return filled


def _as_png(pixels: Pixels) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _sum(a: Rendered, b: Rendered) -> Rendered:
    return Rendered(
        loras=b.loras,
        load_ms=a.load_ms + b.load_ms,
        merge_ms=a.merge_ms + b.merge_ms,
        encode_ms=a.encode_ms + b.encode_ms,
        denoise_ms=a.denoise_ms + b.denoise_ms,
        decode_ms=a.decode_ms + b.decode_ms,
    )
