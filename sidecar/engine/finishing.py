"""What happens to drawn pictures before they leave: enlarged, cut to size, checked, blurred."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from sidecar.engine.contract import (
    NO_CHECKS,
    CancelToken,
    Checked,
    CheckSpec,
    Emit,
    Enlarging,
    Event,
    Frame,
    ImageReady,
    Progress,
    Rendered,
    Renders,
    RenderSpec,
)
from sidecar.engine.drawn_smaller import as_drawn, refused_whole, within
from sidecar.engine.pictures.blur import blurred
from sidecar.engine.pictures.encode import MIME, encode, thumbnail
from sidecar.engine.pictures.opening import Opened, flat, open_picture

if TYPE_CHECKING:
    from sidecar.engine.upscale.upscaler import Upscaler

Look = Callable[[Image.Image, CheckSpec], Checked]
"""At a finished RGB picture."""


def render(
    job_id: str,
    spec: RenderSpec,
    drawing: Renders,
    upscaler: Upscaler | None,
    look: Look,
    emit: Emit,
    cancel: CancelToken,
) -> Rendered:
    """Draw smaller where that was planned; pictures go out finished, in the same events.

    `upscaler`: None where there is no plan. What its network can do is known before anything is
    drawn: the plan is fitted to it. Raises ModelUnsupported where that cannot be.
    """
    plan, load_ms, most = spec.enlarging, 0.0, 1
    if plan is not None and upscaler is not None:
        load_ms = upscaler.load(plan.upscaler, emit, cancel)
        most = upscaler.scale
        plan = within(spec, plan, most)
    drawn = replace(as_drawn(spec, plan), checks=NO_CHECKS)
    finishing = _Finishing(job_id, spec, look, emit)
    if plan is not None and upscaler is not None:
        drawn = replace(drawn, image_format="png", thumbnail_px=0)
        finishing = _Enlarging(job_id, spec, look, emit, upscaler, plan, cancel)
    with refused_whole(spec, plan, most):
        rendered = drawing.render(job_id, drawn, finishing.event, cancel)
    return replace(
        rendered,
        load_ms=rendered.load_ms + load_ms,
        decode_ms=max(0.0, rendered.decode_ms - finishing.upscale_ms - finishing.check_ms),
        upscale_ms=finishing.upscale_ms,
        check_ms=finishing.check_ms,
    )


class _Finishing:
    """Stands between the drawing engine and whoever listens to it, and checks what comes out."""

    def __init__(self, job_id: str, spec: RenderSpec, look: Look, emit: Emit) -> None:
        self.job_id = job_id
        self.spec = spec
        self.look = look
        self.emit = emit
        self.done = 0
        self.upscale_ms = 0.0
        self.check_ms = 0.0

    @property
    def count(self) -> int:
        return self.spec.count - self.spec.seed_offset

    def event(self, event: Event) -> None:
        """Unfinished pictures are not shown where the finished ones may be blocked."""
        if isinstance(event, ImageReady):
            self.emit(self.finished(event))
            self.done += 1
        elif not (isinstance(event, Frame) and self.spec.checks.may_block):
            self.emit(event)

    def finished(self, image: ImageReady) -> ImageReady:
        picture = open_picture(image.data).picture
        checked = self.checked(picture)
        return (
            self.encoded(image, blurred(picture), checked)
            if checked.blocked
            else replace(image, checked=checked)
        )

    def checked(self, picture: Image.Image) -> Checked:
        if not self.spec.checks.any:
            return Checked()
        started = time.perf_counter()
        checked = self.look(flat(Opened(picture)), self.spec.checks)
        self.check_ms += (time.perf_counter() - started) * 1000
        self.told("check", self.done + 1, self.count)
        return checked

    def encoded(self, image: ImageReady, picture: Image.Image, checked: Checked) -> ImageReady:
        """The picture in place of the one that was drawn."""
        small = self.spec.thumbnail_px
        return replace(
            image,
            mime=MIME[self.spec.image_format],
            width=picture.width,
            height=picture.height,
            data=encode(picture, self.spec.image_format),
            thumbnail=thumbnail(picture, small)[0] if small else b"",
            checked=checked,
        )

    def told(self, phase: str, step: int, steps: int) -> None:
        self.emit(Progress(self.job_id, phase, step, steps))


class _Enlarging(_Finishing):
    """The same, of pictures that were drawn smaller."""

    def __init__(
        self,
        job_id: str,
        spec: RenderSpec,
        look: Look,
        emit: Emit,
        upscaler: Upscaler,
        plan: Enlarging,
        cancel: CancelToken,
    ) -> None:
        super().__init__(job_id, spec, look, emit)
        self._upscaler = upscaler
        self._plan = plan
        self._cancel = cancel

    def finished(self, image: ImageReady) -> ImageReady:
        started = time.perf_counter()
        picture = self._enlarged(open_picture(image.data))
        self.upscale_ms += (time.perf_counter() - started) * 1000
        checked = self.checked(picture)
        shown = blurred(picture) if checked.blocked else picture
        return replace(self.encoded(image, shown, checked), enlarged=self._plan.factor)

    def _enlarged(self, opened: Opened) -> Image.Image:
        """Cut from the middle to the size that was asked for."""

        def on_piece(done: int, pieces: int) -> None:
            self.told("upscale", self.done * pieces + done, self.count * pieces)

        how = (self._plan.factor, self._plan.upscaler, self.emit, self._cancel, on_piece)
        picture = self._upscaler.enlarge(opened, *how).picture()
        width, height = self.spec.width, self.spec.height
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        return picture.crop((left, top, left + width, top + height))
