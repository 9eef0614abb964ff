"""The job of upscale and enhance: one picture in, one picture out, into the history."""

from __future__ import annotations

from time import perf_counter
from typing import cast

from sidecar.engine.contract import (
    Command,
    Enhance,
    EnhanceSpec,
    Event,
    Finished,
    ImageReady,
    Outcome,
    Upscale,
    UpscaleSpec,
)
from sidecar.errors import SidecarError
from sidecar.jobs.job import Job
from sidecar.jobs.progress import ProgressMeter, Share, enlarging_shares
from sidecar.protocol.finishing import Delivery, EnhancePath
from sidecar.protocol.pictures import EnlargeResult, GeneratedImage
from sidecar.rpc.context import Front
from sidecar.rpc.delivery import delivered, saved
from sidecar.rpc.enlarge_recipe import enhanced_recipe, upscaled_recipe
from sidecar.rpc.picture_work import timings
from sidecar.rpc.reporter import Reporter
from sidecar.rpc.room import Room
from sidecar.texts import sentence_and_hint

GUESSED_PIXELS = 1024 * 1024
"""The front does not decode pictures, so it does not know their sizes beforehand."""


def steps_taken(steps: int, strength: float) -> int:
    """Of img2img: the last ones only."""
    return min(max(int(steps * strength), 1), steps)


class EnlargeWork:
    """Sent again, it starts anew: nothing is kept of an unfinished picture."""

    def __init__(
        self, front: Front, spec: UpscaleSpec | EnhanceSpec, delivery: Delivery, room: Room
    ) -> None:
        self._front = front
        self._spec = spec
        self._delivery: Delivery = delivery
        self._room = room
        self._job: Job | None = None
        self._reporter: Reporter | None = None
        self._image: ImageReady | None = None

    def accepted(self, job: Job) -> None:
        model = self._upscale.upscaler.path
        meter = ProgressMeter(self._front.weights, model, self._shares())
        self._job, self._reporter = job, Reporter(self._front.notify, job, meter)
        self._reporter.queued()

    def command(self, job_id: str) -> Command:
        if isinstance(self._spec, EnhanceSpec):
            return Enhance(job_id, self._spec)
        return Upscale(job_id, self._spec)

    def event(self, event: Event) -> None:
        if isinstance(event, ImageReady):
            self._image = event
        elif self._reporter is not None:
            self._reporter.event(event)

    def result(self, outcome: Outcome) -> EnlargeResult:
        image, job, reporter = self._image, self._job, self._reporter
        if image is None or job is None or reporter is None or not isinstance(outcome, Finished):
            raise SidecarError()
        start = perf_counter()
        delivered_image = self._saved(image, outcome)
        save_ms = (perf_counter() - start) * 1000
        reporter.saved(1, 1, save_ms)
        return EnlargeResult(
            job_id=job.id,
            images=[delivered_image],
            timings=timings(job, outcome, save_ms),
            path_used=cast("EnhancePath", outcome.path),  # type: ignore[arg-type]
            why=sentence_and_hint(outcome.why, {}, self._front.locale)[0],
            provider=outcome.provider,
        )

    def _shares(self) -> dict[str, Share]:
        """Which path is taken is known here where it was asked for, or where there is a GPU."""
        shares, spec = enlarging_shares(GUESSED_PIXELS), self._spec
        if not isinstance(spec, EnhanceSpec) or spec.render is None or spec.path == "onnx":
            return shares
        warm = self._front.jobs.facts.warm
        if spec.path == "diffusion" or (warm is not None and warm.device != "cpu"):
            steps = steps_taken(spec.render.steps, spec.render.strength)
            shares["denoise"] = Share(steps, GUESSED_PIXELS)
            if spec.upscale.scale == 1:
                del shares["upscale"]
        return shares

    def _saved(self, image: ImageReady, outcome: Finished) -> GeneratedImage:
        front, spec = self._front, self._spec
        if isinstance(spec, EnhanceSpec):
            parameters = enhanced_recipe(front, spec, image, outcome.path)
        else:
            parameters = upscaled_recipe(spec, image)
        entry = saved(front, image, parameters, self._upscale.image)
        return delivered(front, entry, image, self._delivery, self._room)

    @property
    def _upscale(self) -> UpscaleSpec:
        return self._spec.upscale if isinstance(self._spec, EnhanceSpec) else self._spec
