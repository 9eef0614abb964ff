"""Bringing the engine to the projected state before anybody asks for a picture."""

from __future__ import annotations

from sidecar.errors import SidecarError
from sidecar.jobs.job import Job
from sidecar.jobs.projection import Projected
from sidecar.protocol.models import LoadModelParams
from sidecar.rpc.context import Front
from sidecar.rpc.specs import find_model, model_spec
from sidecar.rpc.state_work import ApplyWork
from sidecar.rpc.styles import model_for


def prewarm(front: Front) -> None:
    """Load and merge in the background what the next picture needs, if there is a model in it."""
    state = front.projection.current
    if state.model is None or front.shutting_down or not front.jobs.available:
        return
    try:
        gate = front.guard.clear(state.loras, allow_suspicious=False)
    except SidecarError as exc:
        front.warn(exc.kind, exc.fields)
        return
    model = model_for(front, state.model, state.loras)
    work = ApplyWork(front, model, state.loras)
    front.jobs.submit(Job("prewarm", model, work, gate=gate))


def preload(front: Front, model: str) -> SidecarError | None:
    """Put a model in force at the start; why not, for one that cannot be found."""
    try:
        found = find_model(front, model)
    except SidecarError as exc:
        return exc
    spec = model_spec(front, found, LoadModelParams.model_validate({"model": model}))
    front.projection.replace(Projected(spec, spec.family))
    prewarm(front)
    return None
