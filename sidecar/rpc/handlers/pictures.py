"""preview, generate, repeat."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from sidecar.jobs.job import Job, new_job_id
from sidecar.protocol.base import ImageIn, LoraRef
from sidecar.protocol.history import HistoryEntry, RepeatParams
from sidecar.protocol.models import LoadModelParams
from sidecar.protocol.pictures import GenerateParams, PreviewParams, PreviewResult, Timings
from sidecar.rpc.context import Call, Front
from sidecar.rpc.images import data_url
from sidecar.rpc.picture_work import Delivery, GenerateWork, PreviewWork
from sidecar.rpc.previews import preview_key
from sidecar.rpc.specs import (
    Drawing,
    drawing_now,
    find_model,
    full_spec,
    lora_specs,
    model_spec,
    preview_spec,
)


def preview(call: Call, params: PreviewParams) -> Future[Any] | PreviewResult:
    front = call.front
    spec = preview_spec(drawing_now(front, params.loras), params)
    key = preview_key(spec)
    cached = front.previews.get(key)
    if cached is not None:
        front.jobs.supersede(params.session)
        update = {"job_id": new_job_id(), "session": params.session, "cached": True}
        return cached.model_copy(update={**update, "timings": Timings.model_validate({})})
    work = PreviewWork(front, spec, params.session, key)
    return front.jobs.submit(Job("preview", spec.model, work, call.request_id, params.session))


def generate(call: Call, params: GenerateParams) -> Future[Any]:
    return _draw(call, drawing_now(call.front, params.loras), params, params.delivery)


def repeat(call: Call, params: RepeatParams) -> Future[Any]:
    front = call.front
    entry = front.history.entry(params.id)
    again = _again(entry, params, _stored_init_image(front, params, entry))
    return _draw(call, _drawing_of(front, entry, again), again, params.delivery)


def _draw(call: Call, drawing: Drawing, params: GenerateParams, delivery: Delivery) -> Future[Any]:
    spec = full_spec(drawing, params, params.count)
    work = GenerateWork(call.front, spec, delivery)
    return call.front.jobs.submit(Job("generate", spec.model, work, call.request_id))


def _stored_init_image(front: Front, params: RepeatParams, entry: HistoryEntry) -> ImageIn | None:
    if params.init_image is not None:
        return params.init_image
    stored = front.history.init_image(entry.id)
    if stored is None:
        return None
    return ImageIn(path=None, data_url=data_url("image/png", stored))


def _again(entry: HistoryEntry, params: RepeatParams, init_image: ImageIn | None) -> GenerateParams:
    """The stored recipe with what is given anew laid over it; a new seed unless one is given."""
    stored = entry.parameters
    loras = [LoraRef(name=lora.name, alpha=lora.alpha) for lora in stored.loras]
    fields: dict[str, Any] = {
        "prompt": stored.prompt,
        "negative_prompt": stored.negative_prompt,
        "width": stored.width,
        "height": stored.height,
        "steps": stored.steps,
        "guidance_scale": stored.guidance_scale,
        "sampler": stored.sampler,
        "loras": loras,
        "strength": stored.strength or 0.6,
    }
    given = {k: getattr(params, k) for k in (*fields, "seed", "count")}
    fields |= {k: v for k, v in given.items() if v is not None}
    return GenerateParams(**fields, init_image=init_image)


def _drawing_of(front: Front, entry: HistoryEntry, params: GenerateParams) -> Drawing:
    stored = entry.parameters
    found = find_model(front, stored.model)
    load = LoadModelParams(
        model=stored.model,
        vae=stored.vae,
        dtype=stored.dtype,  # type: ignore[arg-type]
        low_vram=stored.low_vram,  # type: ignore[arg-type]
        no_half_vae=stored.no_half_vae,
    )
    return Drawing(model_spec(found, load), found.defaults, lora_specs(front, params.loras or []))
