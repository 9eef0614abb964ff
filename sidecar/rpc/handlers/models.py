"""list_models, load_model, unload_model, vram_report."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from sidecar.jobs.job import Job
from sidecar.jobs.projection import Projected
from sidecar.protocol.base import Empty
from sidecar.protocol.models import LoadModelParams, ModelList, VramReport
from sidecar.rpc.context import Call, Front
from sidecar.rpc.specs import find_model, model_spec
from sidecar.rpc.state_work import LoadWork, UnloadWork


def list_models(call: Call, params: Empty) -> ModelList:
    model = call.front.projection.current.model
    cards = call.front.models.cards()
    loaded = model.path if model else None
    return ModelList(
        models=[card.model_copy(update={"loaded": card.path == loaded}) for card in cards]
    )


def load_model(call: Call, params: LoadModelParams) -> Future[Any]:
    """The stack stays on when the new model is of the same family, else it is taken off."""
    found = find_model(call.front, params.model)
    spec = model_spec(call.front, found, params)

    def change(state: Projected) -> Projected:
        same = state.family in (None, spec.family)
        return replace(state, model=spec, family=spec.family, loras=state.loras if same else ())

    job = Job("load_model", spec, LoadWork(call.front, spec), call.request_id)
    return submit_trial(call.front, job, change)


def unload_model(call: Call, params: Empty) -> Future[Any]:
    job = Job("unload_model", None, UnloadWork(call.front), call.request_id)

    def change(state: Projected) -> Projected:
        return replace(state, model=None)

    return submit_trial(call.front, job, change)


def vram_report(call: Call, params: Empty) -> Future[VramReport]:
    return call.front.memory.ask()


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
