"""The two kinds of picture jobs: a preview into the answer, finished pictures into the history."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from time import perf_counter
from typing import Literal

from sidecar.engine.contract import (
    Command,
    Event,
    ImageReady,
    Outcome,
    Render,
    Rendered,
    RenderSpec,
)
from sidecar.errors import SidecarError
from sidecar.history.store import NewPicture
from sidecar.jobs.job import Job
from sidecar.jobs.progress import ProgressMeter
from sidecar.protocol.history import HistoryChanged, HistoryEntry
from sidecar.protocol.pictures import GeneratedImage, GenerateResult, PreviewResult, Timings
from sidecar.rpc.context import Front
from sidecar.rpc.images import data_url, inline_image
from sidecar.rpc.reporter import Reporter
from sidecar.rpc.specs import recipe
from sidecar.rpc.styles import Wording

Delivery = Literal["file", "inline", "both"]


def timings(job: Job, outcome: Outcome, save_ms: float = 0.0) -> Timings:
    """Where the time of a picture job went."""
    assert isinstance(outcome, Rendered)
    return Timings(
        queue_ms=round(job.queue_ms, 3),
        load_ms=outcome.load_ms,
        merge_ms=outcome.merge_ms,
        encode_ms=outcome.encode_ms,
        denoise_ms=outcome.denoise_ms,
        decode_ms=outcome.decode_ms,
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
        pixels = spec.width * spec.height
        meter = ProgressMeter(weights, spec.model.path, pixels, spec.steps, spec.count)
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
            timings=timings(self.job, outcome),
        )
        self.front.previews.put(self._key, result)
        self.reporter.saved(1, 1, 0.0)
        return result


class GenerateWork(PictureWork):
    """Pictures that are saved as they come; a repeated job goes on behind the last saved one."""

    def __init__(
        self, front: Front, spec: RenderSpec, wording: Wording | None, delivery: Delivery
    ) -> None:
        super().__init__(front, spec, wording)
        self._delivery = delivery
        self._images: list[GeneratedImage] = []
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
        )

    def _save(self, image: ImageReady) -> None:
        start = perf_counter()
        parameters = recipe(self.front, self.spec, image.seed, self.wording)
        added = self.front.history.add(
            NewPicture(
                data=image.data,
                mime=image.mime,
                width=image.width,
                height=image.height,
                thumbnail=image.thumbnail,
                parameters=parameters,
                init_image=self.spec.init_image,
            ),
            spare=[earlier.history_id for earlier in self._images],
        )
        self._images.append(self._delivered(added.entry))
        save_ms = (perf_counter() - start) * 1000
        self._save_ms += save_ms
        tell_history(self.front, "added", [added.entry.id])
        if added.evicted:
            tell_history(self.front, "deleted", list(added.evicted))
        self.reporter.saved(len(self._images), self.spec.count, save_ms)

    def _delivered(self, entry: HistoryEntry) -> GeneratedImage:
        inline = self._delivery != "file"
        data = self.front.history.picture(entry.id) if inline else b""
        return GeneratedImage(
            mime=entry.mime,
            width=entry.width,
            height=entry.height,
            bytes=entry.bytes,
            path=entry.path if self._delivery != "inline" else None,
            data_url=data_url(entry.mime, data) if inline else None,
            history_id=entry.id,
            thumbnail=entry.thumbnail,
            seed=entry.parameters.seed,
            parameters=entry.parameters,
        )


def tell_history(front: Front, reason: str, ids: list[str]) -> None:
    """Entries came or went; also says when a broken history was moved aside."""
    total = front.history.count()
    front.notify("history_changed", HistoryChanged(reason=reason, ids=ids, total=total))
    front.tell_moved_aside()
