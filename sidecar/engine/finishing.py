"""What happens to drawn pictures before they leave: enlarged, cut to size, checked, blurred."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from PIL import Image

from sidecar.engine.contract import (
    NO_CHECKS,
    CancelToken,
    Checked,
    CheckSpec,
    Drawing,
    Emit,
    Enlarging,
    Event,
    Frame,
    ImageReady,
    Progress,
    Rendered,
    RenderSpec,
)
from sidecar.engine.pictures.blur import blurred
from sidecar.engine.pictures.encode import MIME, encode, thumbnail
from sidecar.engine.pictures.opening import Opened, flat, open_picture
from sidecar.engine.upscale.upscaler import Upscaler, as_picture

Look = Callable[[Image.Image, CheckSpec], Checked]
"""At a finished RGB picture."""


def render(
    job_id: str,
    spec: RenderSpec,
    drawing: Drawing,
    upscaler: Upscaler,
    look: Look,
    emit: Emit,
    cancel: CancelToken,
) -> Rendered:
    """Draw smaller where that was planned; pictures go out finished, in the same events."""
    plan = spec.enlarging
    drawn = replace(spec, enlarging=None, checks=NO_CHECKS, image_format="png", thumbnail_px=0)
    load_ms = 0.0
    if plan is not None:
        drawn = replace(drawn, width=plan.width, height=plan.height)
        load_ms = upscaler.load(plan.upscaler, emit)
    finishing = _Finishing(job_id, spec, upscaler, look, emit, cancel)
    rendered = drawing.render(job_id, drawn, finishing.event, cancel)
    return replace(
        rendered,
        load_ms=rendered.load_ms + load_ms,
        decode_ms=max(0.0, rendered.decode_ms - finishing.upscale_ms - finishing.check_ms),
        upscale_ms=finishing.upscale_ms,
        check_ms=finishing.check_ms,
    )


@dataclass
class _Finishing:
    """Stands between the drawing engine and whoever listens to it."""

    job_id: str
    spec: RenderSpec
    upscaler: Upscaler
    look: Look
    emit: Emit
    cancel: CancelToken
    done: int = 0
    upscale_ms: float = 0.0
    check_ms: float = 0.0

    @property
    def count(self) -> int:
        return self.spec.count - self.spec.seed_offset

    def event(self, event: Event) -> None:
        """Unfinished pictures are not shown where the finished ones may be blocked."""
        if isinstance(event, ImageReady):
            self.emit(self._finished(event))
        elif not (isinstance(event, Frame) and self.spec.checks.may_block):
            self.emit(event)

    def _finished(self, image: ImageReady) -> ImageReady:
        opened = open_picture(image.data)
        picture, checked = opened.picture, Checked()
        plan = self.spec.enlarging
        if plan is not None:
            with _Stopwatch(self._upscaled_for):
                picture = self._enlarged(opened, plan)
        if self.spec.checks.any:
            with _Stopwatch(self._checked_for):
                checked = self.look(flat(Opened(picture)), self.spec.checks)
            self._told("check", self.done + 1, self.count)
        if checked.blocked:
            picture = blurred(picture)
        self.done += 1
        small = self.spec.thumbnail_px
        return replace(
            image,
            mime=MIME[self.spec.image_format],
            width=picture.width,
            height=picture.height,
            data=encode(picture, self.spec.image_format),
            thumbnail=thumbnail(picture, small)[0] if small else b"",
            enlarged=plan.factor if plan is not None else 1,
            checked=checked,
        )

    def _enlarged(self, opened: Opened, plan: Enlarging) -> Image.Image:
        def on_piece(done: int, pieces: int) -> None:
            self._told("upscale", self.done * pieces + done, self.count * pieces)

        how = (plan.factor, plan.upscaler, self.emit, self.cancel, on_piece)
        picture = as_picture(self.upscaler.enlarge(opened, *how))
        left, top = (picture.width - self.spec.width) // 2, (picture.height - self.spec.height) // 2
        return picture.crop((left, top, left + self.spec.width, top + self.spec.height))

    def _upscaled_for(self, ms: float) -> None:
        self.upscale_ms += ms

    def _checked_for(self, ms: float) -> None:
        self.check_ms += ms

    def _told(self, phase: str, step: int, steps: int) -> None:
        self.emit(Progress(self.job_id, phase, step, steps))


class _Stopwatch:
    """Tells the milliseconds of a `with` block."""

    def __init__(self, took: Callable[[float], None]) -> None:
        self._took = took

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *fault: object) -> None:
        self._took((time.perf_counter() - self._started) * 1000)
