"""Jobs that change what is resident: load, unload, switch, and prewarming in the background."""

from __future__ import annotations

from dataclasses import asdict

from sidecar.engine.contract import (
    ApplyLoras,
    Command,
    Event,
    LoadedModel,
    LoadModel,
    LoraReceipt,
    LoraSpec,
    ModelSpec,
    Outcome,
    UnloadModel,
)
from sidecar.jobs.job import Job
from sidecar.protocol.base import EmptyResult
from sidecar.protocol.events import LoraLoaded
from sidecar.protocol.lora import StackEntry, SwitchLoraResult
from sidecar.protocol.models import Component, LoadModelResult
from sidecar.rpc.context import Front
from sidecar.rpc.reporter import Reporter


class StateWork:
    """What they have in common: loading is reported."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self._reporter: Reporter | None = None

    def accepted(self, job: Job) -> None:
        self._reporter = Reporter(self.front.notify, job, None)
        if job.kind != "prewarm":
            self._reporter.queued()

    def event(self, event: Event) -> None:
        if self._reporter is not None:
            self._reporter.event(event)


class LoadWork(StateWork):
    def __init__(self, front: Front, model: ModelSpec) -> None:
        super().__init__(front)
        self._model = model

    def command(self, job_id: str) -> Command:
        return LoadModel(job_id, self._model)

    def result(self, outcome: Outcome) -> LoadModelResult:
        assert isinstance(outcome, LoadedModel)
        return LoadModelResult(
            model=outcome.spec.name,
            family=outcome.family,
            components=[Component(**asdict(c)) for c in outcome.components],
            device=outcome.device,
            dtype=outcome.dtype,
            attention=outcome.attention,
            low_vram=list(outcome.low_vram),
            rung=outcome.rung,
            load_ms=outcome.load_ms,
        )


class UnloadWork(StateWork):
    def command(self, job_id: str) -> Command:
        return UnloadModel(job_id)

    def result(self, outcome: Outcome) -> EmptyResult:
        return EmptyResult()


class ApplyWork(StateWork):
    """Prewarming: the answer interests nobody."""

    def __init__(self, front: Front, model: ModelSpec, loras: tuple[LoraSpec, ...]) -> None:
        super().__init__(front)
        self._model = model
        self._loras = loras

    def command(self, job_id: str) -> Command:
        return ApplyLoras(job_id, self._model, self._loras)

    def result(self, outcome: Outcome) -> object:
        return None


class SwitchWork(ApplyWork):
    def result(self, outcome: Outcome) -> SwitchLoraResult:
        assert isinstance(outcome, LoraReceipt)
        stack = [StackEntry(**asdict(applied)) for applied in outcome.loras]
        self.front.notify("lora_loaded", LoraLoaded(stack=stack, cached=outcome.cached))
        return SwitchLoraResult(
            stack=stack,
            family=outcome.family,
            rank=outcome.rank,
            matched_keys=outcome.matched_keys,
            total_keys=outcome.total_keys,
            unsupported=list(outcome.unsupported),
            relative_delta=outcome.relative_delta,
            relative_delta_by_block=outcome.relative_delta_by_block,
            cached=outcome.cached,
            load_ms=outcome.load_ms,
            merge_ms=outcome.merge_ms,
            bytes=outcome.bytes,
        )
