"""Making pictures better: redrawn a little with diffusion, or sharpened by super-resolution."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sidecar.engine.contract import (
    CancelToken,
    Drawing,
    Emit,
    EnhanceSpec,
    Finished,
    Progress,
)
from sidecar.engine.pictures.opening import CHANNELS, Opened
from sidecar.engine.pictures.prospects import refuse_hopeless
from sidecar.engine.redrawing import Redrawing
from sidecar.engine.upscale.job import Check, enlarged_from, first_look, opened_for, ready
from sidecar.engine.upscale.pieces import HALO, under_transparency
from sidecar.engine.upscale.upscaler import Enlarged, Upscaler

BAND = 256
"""Rows that leave a finished picture at once."""

Pixels = NDArray[np.uint8]


@dataclass
class Source:
    """What is kept of a picture that is redrawn: `colours` (height, width, 3), also under what is
    transparent, until they are taken; its own transparency, if any."""

    colours: Pixels
    alpha: Image.Image | None
    grey: bool
    icc: bytes | None

    @staticmethod
    def of(opened: Opened) -> Source:
        alpha = opened.picture.getchannel("A") if opened.has_alpha else None
        grey = CHANNELS[opened.picture.mode] < 3
        return Source(_colours(opened), alpha, grey, opened.icc)

    def taken(self) -> Pixels:
        """The colours, which are forgotten here: whoever has them lets go of them."""
        colours, self.colours = self.colours, np.empty((0, 0, 3), np.uint8)
        return colours

    def again(self, pixels: Pixels) -> Image.Image:
        """Those pixels as a picture of the same kind."""
        picture = Image.fromarray(pixels)
        if self.grey:
            picture = picture.convert("L")
        if self.alpha is not None:
            picture.putalpha(self.alpha)
        return picture


def enhance(
    job_id: str,
    spec: EnhanceSpec,
    drawing: Drawing,
    device: str,
    upscaler: Upscaler,
    check: Check,
    emit: Emit,
    cancel: CancelToken,
) -> Finished:
    """See `contract.Engine.enhance`. Raises ImageTiny, ImageBlank or ImageBlurred."""
    opened = opened_for(spec.upscale)
    if not spec.anyway:
        refuse_hopeless(opened.picture)
    first_look(job_id, opened, emit)
    path, why = chosen(spec, device)
    if path == "onnx":
        done = enlarged_from(job_id, spec.upscale, opened, upscaler, check, emit, cancel)
    else:
        source = Source.of(opened)
        del opened  # a large picture is not held twice
        done = _redrawn(job_id, spec, source, drawing, upscaler, check, emit, cancel)
    return replace(done, path=path, why=why)


def chosen(spec: EnhanceSpec, device: str) -> tuple[str, str]:
    """The path, and the kind of the sentence that says why."""
    path = "diffusion" if spec.draws(device) else "onnx"
    if spec.path != "auto":
        return path, "enhance_asked"
    if spec.render is None:
        return path, "enhance_no_model"
    return path, "enhance_gpu" if path == "diffusion" else "enhance_no_gpu"


def _redrawn(
    job_id: str,
    spec: EnhanceSpec,
    source: Source,
    drawing: Drawing,
    upscaler: Upscaler,
    check: Check,
    emit: Emit,
    cancel: CancelToken,
) -> Finished:
    """Redrawn at its own size, then enlarged, where that is asked for."""
    assert spec.render is not None
    upscale = spec.upscale
    quiet = spec.render if not upscale.checks.may_block else replace(spec.render, frame_every=0)
    redrawing = Redrawing(job_id, quiet, spec.tile, drawing, emit, cancel)
    pixels = redrawing.redrawn(source.taken())
    picture = source.again(pixels)
    del pixels
    started = time.perf_counter()
    checked = check(Opened(picture), upscale.checks, upscale.scale)
    check_ms = _since(started)
    took, load_ms, started = redrawing.took, 0.0, time.perf_counter()
    if upscale.scale == 1:
        enlarged = _as_it_is(picture)
    else:
        load_ms = upscaler.load(upscale.upscaler, emit, cancel)

        def on_piece(done: int, pieces: int) -> None:
            emit(Progress(job_id, "upscale", done, pieces))

        enlarged = upscaler.enlarge(
            Opened(picture), upscale.scale, upscale.upscaler, emit, cancel, on_piece
        )
    ready(job_id, upscale, enlarged, Opened(picture, source.icc), checked, emit, spec.render.seed)
    return Finished(
        path="diffusion",
        why="",
        provider="" if upscale.scale == 1 else upscaler.provider,
        load_ms=took.load_ms + load_ms,
        merge_ms=took.merge_ms,
        encode_ms=took.encode_ms,
        denoise_ms=took.denoise_ms,
        decode_ms=took.decode_ms,
        upscale_ms=_since(started) if upscale.scale > 1 else 0.0,
        check_ms=check_ms,
    )


def _colours(opened: Opened) -> Pixels:
    """(height, width, 3). Band by band: on the way there are several copies of each."""
    width, height = opened.picture.size
    colours = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, BAND):
        first, last = max(top - HALO, 0), min(top + BAND + HALO, height)
        band = opened.picture.crop((0, first, width, last))
        if opened.has_alpha:
            band = under_transparency(band).convert("RGBA")
        rows = colours[top : top + BAND]
        rows[:] = np.asarray(band.convert("RGB"))[top - first :][: len(rows)]
    return colours


def _as_it_is(picture: Image.Image) -> Enlarged:
    def rows() -> Generator[Pixels]:
        for top in range(0, picture.height, BAND):
            band = picture.crop((0, top, picture.width, min(top + BAND, picture.height)))
            yield Opened(band).pixels

    channels = CHANNELS[picture.mode]
    return Enlarged(picture.width, picture.height, channels, 1, rows())


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
