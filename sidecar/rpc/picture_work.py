"""The two kinds of picture jobs: a preview into the answer, finished pictures into the history."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from time import perf_counter

from sidecar.engine.contract import (
    Command,
    Event,
    Finished,
    ImageReady,
    Outcome,
    Render,
    Rendered,
    RenderSpec,
)
from sidecar.errors import SidecarError
from sidecar.jobs.job import Job
from sidecar.jobs.progress import ProgressMeter, drawing_shares
from sidecar.protocol.finishing import Delivery, Plan
from sidecar.protocol.pictures import GeneratedImage, GenerateResult, PreviewResult, Timings
from sidecar.rpc.context import Front
from sidecar.rpc.delivery import delivered, saved
from sidecar.rpc.found import check_result, tell_found
from sidecar.rpc.images import inline_image
from sidecar.rpc.reporter import Reporter
from sidecar.rpc.room import Room
from sidecar.rpc.specs import recipe
from sidecar.rpc.styles import Wording
from sidecar.texts import sentence_and_hint


def timings(job: Job, outcome: Outcome, save_ms: float = 0.0) -> Timings:
    """Where the time of a picture job went."""
    assert isinstance(outcome, Rendered | Finished)
    return Timings(
        queue_ms=round(job.queue_ms, 3),
        load_ms=outcome.load_ms,
        merge_ms=outcome.merge_ms,
        encode_ms=outcome.encode_ms,
        denoise_ms=outcome.denoise_ms,
        decode_ms=outcome.decode_ms,
        upscale_ms=outcome.upscale_ms,
        check_ms=outcome.check_ms,
        save_ms=round(save_ms, 3),
        total_ms=round((perf_counter() - job.accepted) * 1000, 3),
    )


class PictureWork:
    """What both have in common: the spec, and telling how far it is."""

    def __init__(self, front: Front, spec: RenderSpec, wording: Wording | None) -> None:
        self.front = front
        self.spec = spec
        self.wording = wording
        self._job: Job | None = None
        self._reporter: Reporter | None = None

    @property
    def job(self) -> Job:
        assert self._job is not None
        return self._job

    @property
    def reporter(self) -> Reporter:
        assert self._reporter is not None
        return self._reporter

    def accepted(self, job: Job) -> None:
        spec, weights = self.spec, self.front.weights
        plan, pixels, enlarged = spec.enlarging, spec.width * spec.height, 0
        if plan is not None:
            pixels, enlarged = plan.width * plan.height, pixels
        shares = drawing_shares(pixels, spec.steps, spec.count, enlarged, spec.checks.any)
        meter = ProgressMeter(weights, spec.model.path, shares)
        self._job, self._reporter = job, Reporter(self.front.notify, job, meter)
        self._reporter.queued()


class PreviewWork(PictureWork):
    """One small picture, in the answer and in the cache."""

    def __init__(
        self,
        front: Front,
        spec: RenderSpec,
        wording: Wording | None,
        session: str,
        key: Hashable,
    ) -> None:
        super().__init__(front, spec, wording)
        self._session = session
        self._key = key
        self._image: ImageReady | None = None

    def command(self, job_id: str) -> Command:
        return Render(job_id, self.spec)

    def event(self, event: Event) -> None:
        if isinstance(event, ImageReady):
            self._image = event
        else:
            self.reporter.event(event)

    def result(self, outcome: Outcome) -> PreviewResult:
        image = self._image
        if image is None:
            raise SidecarError()
        result = PreviewResult(
            job_id=self.job.id,
            session=self._session,
            image=inline_image(image.mime, image.width, image.height, image.data),
            seed=image.seed,
            parameters=recipe(self.front, self.spec, image.seed, self.wording),
            cached=False,
            checks=check_result(self.front, image.checked),
            timings=timings(self.job, outcome),
        )
        self.front.previews.put(self._key, result)
        tell_found(self.front, image.checked)
        self.reporter.saved(1, 1, 0.0)
        return result


class GenerateWork(PictureWork):
    """Pictures that are saved as they come; a repeated job goes on behind the last saved one."""

    def __init__(
        self,
        front: Front,
        spec: RenderSpec,
        wording: Wording | None,
        delivery: Delivery,
        room: Room,
    ) -> None:
        super().__init__(front, spec, wording)
        self._delivery: Delivery = delivery
        self._room = room
        self._images: list[GeneratedImage] = []
        self._enlarged = 1
        self._save_ms = 0.0

    def command(self, job_id: str) -> Command:
        return Render(job_id, replace(self.spec, seed_offset=len(self._images)))

    def event(self, event: Event) -> None:
        if not isinstance(event, ImageReady):
            self.reporter.event(event)
        elif event.index >= len(self._images):
            self._save(event)

    def result(self, outcome: Outcome) -> GenerateResult:
        return GenerateResult(
            job_id=self.job.id,
            images=self._images,
            timings=timings(self.job, outcome, self._save_ms),
            plan=self._plan(),
        )

    def _save(self, image: ImageReady) -> None:
        start = perf_counter()
        self.spec = _as_drawn(self.spec, image.enlarged)
        parameters = recipe(self.front, self.spec, image.seed, self.wording, image.enlarged)
        spare = [earlier.history_id for earlier in self._images]
        entry = saved(self.front, image, parameters, self.spec.init_image, spare)
        self._images.append(delivered(self.front, entry, image, self._delivery, self._room))
        self._enlarged = image.enlarged
        save_ms = (perf_counter() - start) * 1000
        self._save_ms += save_ms
        self.reporter.saved(len(self._images), self.spec.count, save_ms)

    def _plan(self) -> Plan | None:
        """None when the pictures were drawn at their full size."""
        planned = self.spec.enlarging
        if planned is None or self._enlarged == 1:
            return None
        kind = "plan_no_gpu" if planned.without_gpu_only else "plan_asked"
        size = {"width": planned.width, "height": planned.height, "upscale": planned.factor}
        why = sentence_and_hint(kind, size, self.front.locale)[0]
        return Plan(**size, upscaler=planned.upscaler.name, why=why)


def _as_drawn(spec: RenderSpec, enlarged: int) -> RenderSpec:
    """With the plan that was carried out: a network may enlarge less than was planned."""
    plan = spec.enlarging
    if plan is None or enlarged in (1, plan.factor):
        return spec
    return replace(spec, enlarging=plan.lowered(enlarged, spec.width, spec.height))
