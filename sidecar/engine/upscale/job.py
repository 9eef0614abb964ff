"""One upscale job: open, a first look, check, enlarge, write row by row."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sidecar.disk_faults import disk_fault
from sidecar.engine.contract import (
    CancelToken,
    Checked,
    CheckSpec,
    Emit,
    Finished,
    Frame,
    ImageReady,
    Progress,
    UpscaleSpec,
)
from sidecar.engine.pictures.encode import shrunk, thumbnail
from sidecar.engine.pictures.opening import MAX_PIXELS, Opened, open_picture
from sidecar.engine.pictures.png_writer import PngWriter
from sidecar.engine.pictures.profiles import in_srgb
from sidecar.engine.upscale.upscaler import Enlarged, Upscaler
from sidecar.errors import ImageTooLarge

FIRST_LOOK_PX = 128
LIGHTEST = "realesr-animevideov3"
"""Of the bundled networks, the one that takes the least memory."""
MAX_PIXELS_OUT = 2**28
"""Of the enlarged picture: 16,384 × 16,384."""

Check = Callable[[Opened, CheckSpec, int], Checked]
"""Looks at a picture before it is worked on; boxes come out that many times enlarged. Raises
ContentBlocked."""


def upscale(
    job_id: str,
    spec: UpscaleSpec,
    upscaler: Upscaler,
    check: Check,
    emit: Emit,
    cancel: CancelToken,
) -> Finished:
    """See `contract.Engine.upscale`."""
    opened = opened_for(spec)
    first_look(job_id, opened, emit)
    return enlarged_from(job_id, spec, opened, upscaler, check, emit, cancel)


def enlarged_from(
    job_id: str,
    spec: UpscaleSpec,
    opened: Opened,
    upscaler: Upscaler,
    check: Check,
    emit: Emit,
    cancel: CancelToken,
) -> Finished:
    """Check, enlarge, write."""
    started = time.perf_counter()
    checked = check(opened, spec.checks, spec.scale)
    check_ms = _since(started)
    cancel.check()
    load_ms = upscaler.load(spec.upscaler, emit, cancel)
    started = time.perf_counter()

    def on_piece(done: int, pieces: int) -> None:
        emit(Progress(job_id, "upscale", done, pieces))

    enlarged = upscaler.enlarge(opened, spec.scale, spec.upscaler, emit, cancel, on_piece)
    ready(job_id, spec, enlarged, opened, checked, emit)
    return Finished(
        path="onnx",
        why="upscale_asked",
        provider=upscaler.provider,
        load_ms=load_ms,
        upscale_ms=_since(started),
        check_ms=check_ms,
    )


def ready(
    job_id: str,
    spec: UpscaleSpec,
    enlarged: Enlarged,
    opened: Opened,
    checked: Checked,
    emit: Emit,
    seed: int = 0,
) -> None:
    """Write the picture row by row as it is computed, and hand the file over."""
    file = written(enlarged, opened.icc, spec.folder)
    emit(
        ImageReady(
            job_id=job_id,
            index=0,
            seed=seed,
            mime="image/png",
            width=enlarged.width,
            height=enlarged.height,
            data=b"",
            thumbnail=look_at(opened, spec.thumbnail_px)[0],
            file=str(file),
            enlarged=spec.scale,
            checked=checked,
        )
    )


def lighter_ways(spec: UpscaleSpec) -> list[dict[str, object]]:
    """What takes less memory, the nearest to what was asked for first."""
    ways: list[dict[str, object]] = []
    if spec.upscaler.name != LIGHTEST:
        ways.append({"way": "lighter_network", "network": LIGHTEST})
    if spec.scale > 2:
        ways.append({"way": "lower_scale", "scale": 2})
    return ways


def opened_for(spec: UpscaleSpec) -> Opened:
    """The picture; refused before it is decoded when what comes out would be too large."""
    try:
        return open_picture(spec.image, min(MAX_PIXELS, MAX_PIXELS_OUT // spec.scale**2))
    except ImageTooLarge as exc:
        pixels = exc.fields["width"] * exc.fields["height"]
        fits = max((n for n in (2, 3) if n**2 * pixels <= MAX_PIXELS_OUT), default=0)
        raise ImageTooLarge(**exc.fields, scale=spec.scale, fits=fits) from exc


def first_look(job_id: str, opened: Opened, emit: Emit) -> None:
    """The thumbnail that goes out before anything is computed."""
    data, width, height = look_at(opened, FIRST_LOOK_PX)
    emit(Frame(job_id, 0, 0, 1, True, "image/webp", width, height, data))


def look_at(opened: Opened, longest: int) -> tuple[bytes, int, int]:
    """A small WebP, and its width and height. Small looks carry no profile, so they are in sRGB."""
    return thumbnail(in_srgb(shrunk(opened.picture, longest), opened.icc), longest)


def written(enlarged: Enlarged, icc: bytes | None, folder: str) -> Path:
    """A new PNG in `folder`, under a temporary name; nothing stays there when it fails.

    Raises StorageFault, and what computing the rows raises.
    """
    path = Path(folder) / f".upscaled.{os.urandom(8).hex()}.tmp"
    try:
        with closing(enlarged.rows) as rows, open(path, "xb") as file:
            size = (enlarged.width, enlarged.height, enlarged.channels)
            writer = PngWriter(file, *size, icc)
            for strip in rows:
                writer.write(strip)
            writer.close()
    except BaseException as exc:
        path.unlink(missing_ok=True)
        if isinstance(exc, OSError):
            raise disk_fault(exc, Path(folder)) from exc
        raise
    return path


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
