"""Tells the caller how far one job is and what there is to see already."""

from __future__ import annotations

from typing import Literal, cast, get_args

from sidecar.engine.contract import Event, Frame, ModelLoading, Progress
from sidecar.jobs.job import Job
from sidecar.jobs.progress import ProgressMeter, Shown
from sidecar.protocol.events import ModelLoadEvent
from sidecar.protocol.pictures import Phase, PictureEvent, ProgressEvent
from sidecar.rpc.context import Notify
from sidecar.rpc.images import inline_image

PHASES = frozenset(get_args(Phase))


class Reporter:
    """One per job. `meter`: None for work that is no picture."""

    def __init__(self, notify: Notify, job: Job, meter: ProgressMeter | None) -> None:
        self._notify = notify
        self._job = job
        self._meter = meter
        self._thumbnail_sent = False

    @property
    def request_id(self) -> int | str | None:
        given = self._job.request_id
        return given if isinstance(given, int | str) else None

    def queued(self) -> None:
        self._tell("queue", 0, 1, Shown(0.0, None))

    def event(self, event: Event) -> None:
        """Passes on what the engine says about its way; other events are ignored."""
        match event:
            case ModelLoading():
                self._loading(event)
            case Progress() if event.phase in PHASES:
                self._advance(event.phase, event.step, event.steps)
            case Frame():
                self._frame(event)
            case _:
                pass

    def saved(self, done: int, count: int, save_ms: float) -> None:
        """`done` of `count` pictures are on disk."""
        if self._meter is not None:
            shown = self._meter.picture_saved(done, save_ms)
            self._tell("save", done, count, self._meter.finish() if done == count else shown)

    # ----------------------------------------------------------------- inside

    def _loading(self, event: ModelLoading) -> None:
        self._notify(
            "model_load",
            ModelLoadEvent(model=event.model, stage=event.stage, percent=event.percent),
        )
        self._advance("load", round(event.percent), 100)

    def _advance(self, phase: str, step: int, steps: int) -> None:
        if self._meter is not None:
            self._tell(phase, step, steps, self._meter.advance(phase, step, steps))

    def _tell(self, phase: str, step: int, steps: int, shown: Shown) -> None:
        self._notify(
            "progress",
            ProgressEvent(
                job_id=self._job.id,
                request_id=self.request_id,
                phase=cast("Phase", phase),
                step=step,
                steps=steps,
                percent=shown.percent,
                eta_ms=shown.eta_ms,
            ),
        )

    def _frame(self, frame: Frame) -> None:
        name: Literal["thumbnail", "preview_frame"] = "preview_frame"
        if frame.early and not self._thumbnail_sent:
            name, self._thumbnail_sent = "thumbnail", True
        self._notify(
            name,
            PictureEvent(
                job_id=self._job.id,
                request_id=self.request_id,
                step=frame.step,
                steps=frame.steps,
                image=inline_image(frame.mime, frame.width, frame.height, frame.data),
            ),
        )
