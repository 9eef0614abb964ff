"""list_models, load_model, unload_model, set_low_vram, vram_report."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from sidecar.engine.contract import ModelSpec
from sidecar.errors import ModelNotLoaded
from sidecar.jobs.job import Job
from sidecar.jobs.projection import Projected
from sidecar.protocol.base import Empty
from sidecar.protocol.memory import SetLowVramParams, VramReport, VramReportParams
from sidecar.protocol.models import LoadModelParams, ModelList
from sidecar.rpc.context import Call, Front
from sidecar.rpc.finishing_specs import finished
from sidecar.rpc.prewarm import prewarm
from sidecar.rpc.specs import drawing_now, find_model, full_spec, model_spec
from sidecar.rpc.state_work import LoadWork, UnloadWork


def list_models(call: Call, params: Empty) -> ModelList:
    model = call.front.projection.current.model
    cards = call.front.models.cards()
    loaded = model.path if model else None
    return ModelList(
        models=[card.model_copy(update={"loaded": card.path == loaded}) for card in cards],
        upscalers=call.front.upscalers.cards(),
    )


def load_model(call: Call, params: LoadModelParams) -> Future[Any]:
    """The stack stays on when the new model is of the same family, else it is taken off."""
    found = find_model(call.front, params.model)
    spec = model_spec(call.front, found, params)

    def change(state: Projected) -> Projected:
        same = state.family in (None, spec.family)
        return replace(state, model=spec, family=spec.family, loras=state.loras if same else ())

    return _load(call, spec, change)


def set_low_vram(call: Call, params: SetLowVramParams) -> Future[Any]:
    """The same model and stack on another rung."""
    model = call.front.projection.current.model
    if model is None:
        raise ModelNotLoaded()
    spec = replace(model, low_vram=params.mode)
    return _load(call, spec, lambda state: replace(state, model=spec))


def _load(call: Call, spec: ModelSpec, change: Callable[[Projected], Projected]) -> Future[Any]:
    front = call.front
    job = Job("load_model", spec, LoadWork(front, spec), call.request_id)
    future = submit_trial(front, job, change)
    future.add_done_callback(lambda done: prewarm(front) if done.exception() else None)
    return future


def unload_model(call: Call, params: Empty) -> Future[Any]:
    job = Job("unload_model", None, UnloadWork(call.front), call.request_id)

    def change(state: Projected) -> Projected:
        return replace(state, model=None)

    return submit_trial(call.front, job, change)


def vram_report(call: Call, params: VramReportParams) -> Future[VramReport]:
    front, asked = call.front, params.for_
    if asked is None:
        return front.memory.ask()
    drawing = drawing_now(front, asked)
    drawn = full_spec(drawing, asked, asked.count)
    return front.memory.ask(finished(front, drawn, asked, drawing.defaults))


def submit_trial(front: Front, job: Job, change: Callable[[Projected], Projected]) -> Future[Any]:
    """Queue a job that changes the state; the state falls back when the job fails."""
    trial = front.projection.attempt(change).trial
    job.future.add_done_callback(
        lambda done: front.projection.settle(trial, failed=done.exception() is not None)
    )
    try:
        return front.jobs.submit(job)
    except Exception:
        front.projection.settle(trial, failed=True)
        raise
