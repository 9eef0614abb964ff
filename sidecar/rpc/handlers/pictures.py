"""preview, generate, repeat."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, TypeVar

from sidecar.jobs.job import Job, new_job_id
from sidecar.protocol.base import ImageIn, LoraRef
from sidecar.protocol.history import HistoryEntry, RepeatParams
from sidecar.protocol.models import LoadModelParams
from sidecar.protocol.pictures import (
    GenerateParams,
    PictureParameters,
    PictureParams,
    PreviewParams,
    PreviewResult,
    Timings,
)
from sidecar.rpc.context import Call, Front
from sidecar.rpc.finishing_specs import checked, finished
from sidecar.rpc.handlers import enlarging
from sidecar.rpc.images import data_url
from sidecar.rpc.picture_work import GenerateWork, PreviewWork
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
from sidecar.rpc.styles import Worded, Wording, settled, worded

P = TypeVar("P", bound=PictureParams)


def preview(call: Call, params: PreviewParams) -> Future[Any] | PreviewResult:
    front = call.front
    drawing = drawing_now(front, params)
    words = worded(front, params.prompt, params.negative_prompt, params.style)
    spec = checked(front, preview_spec(drawing, _with(params, words)), params)
    gate = front.guard.clear(spec.loras, params.allow_suspicious)
    key = preview_key(spec, words.wording)
    cached = front.previews.get(key)
    if cached is not None:
        front.jobs.supersede(params.session)
        update = {"job_id": new_job_id(), "session": params.session, "cached": True}
        return cached.model_copy(update={**update, "timings": Timings.model_validate({})})
    work = PreviewWork(front, spec, words.wording, params.session, key)
    job = Job("preview", spec.model, work, call.request_id, params.session, gate)
    return front.jobs.submit(job)


def generate(call: Call, params: GenerateParams) -> Future[Any]:
    drawing = drawing_now(call.front, params)
    words = worded(call.front, params.prompt, params.negative_prompt, params.style)
    return _draw(call, drawing, params, words)


def repeat(call: Call, params: RepeatParams) -> Future[Any]:
    front = call.front
    entry = front.history.entry(params.id)
    for lora in entry.parameters.loras:
        front.guard.allow_known(lora.sha256)
    if entry.parameters.method != "generate":
        return _made_again(call, entry, params)
    words = _words_again(front, entry.parameters, params)
    again = _again(entry, params, _stored_init_image(front, params, entry))
    return _draw(call, _drawing_of(front, entry, again), again, words)


def _made_again(call: Call, entry: HistoryEntry, params: RepeatParams) -> Future[Any]:
    """An upscaled or enhanced picture; one that was redrawn, with the same model and styles."""
    drawing = None
    if entry.parameters.method == "enhance" and entry.parameters.sampler is not None:
        refs = params.loras or _refs(entry.parameters)
        asked = {"prompt": "", "loras": refs, "allow_conflict": params.allow_conflict}
        drawing = _drawing_of(call.front, entry, GenerateParams.model_validate(asked))
    return enlarging.again(call, entry, params, drawing)


def _draw(call: Call, drawing: Drawing, params: GenerateParams, words: Worded) -> Future[Any]:
    drawn = full_spec(drawing, _with(params, words), params.count)
    spec = finished(call.front, drawn, params, drawing.defaults)
    gate = call.front.guard.clear(spec.loras, params.allow_suspicious)
    work = GenerateWork(call.front, spec, words.wording, params.delivery, call.room)
    return call.front.jobs.submit(Job("generate", spec.model, work, call.request_id, gate=gate))


def _with(params: P, words: Worded) -> P:
    """The request with the prompts as they are drawn."""
    update = {"prompt": words.prompt, "negative_prompt": words.negative_prompt}
    return params.model_copy(update=update)


def _words_again(front: Front, stored: PictureParameters, params: RepeatParams) -> Worded:
    """The stored words as they are, since the style's are in them; where something is given anew,
    the style is worked into what the person wrote."""
    if params.prompt is None and params.negative_prompt is None and params.style is None:
        return Worded(stored.prompt, stored.negative_prompt, _stored_wording(stored))
    own_prompt = stored.prompt if stored.own_prompt is None else stored.own_prompt
    own_negative = (
        stored.negative_prompt if stored.own_negative_prompt is None else stored.own_negative_prompt
    )
    prompt = own_prompt if params.prompt is None else params.prompt
    negative = own_negative if params.negative_prompt is None else params.negative_prompt
    return worded(front, prompt, negative, params.style or stored.style)


def _stored_wording(stored: PictureParameters) -> Wording | None:
    if stored.style is None:
        return None
    return Wording(stored.style, stored.own_prompt or "", stored.own_negative_prompt or "")


def _stored_init_image(front: Front, params: RepeatParams, entry: HistoryEntry) -> ImageIn | None:
    if params.init_image is not None:
        return params.init_image
    stored = front.history.init_image(entry.id)
    if stored is None:
        return None
    return ImageIn(path=None, data_url=data_url("image/png", stored))


def _again(entry: HistoryEntry, params: RepeatParams, init_image: ImageIn | None) -> GenerateParams:
    """The stored recipe but for its words, with what is given anew laid over it; a new seed unless
    one is given."""
    stored = entry.parameters
    fields: dict[str, Any] = {
        "width": stored.width,
        "height": stored.height,
        "steps": stored.steps,
        "guidance_scale": stored.guidance_scale,
        "sampler": stored.sampler,
        "loras": _refs(stored),
        "strength": stored.strength or 0.6,
        "upscale": stored.upscale if stored.method == "generate" else 1,
        "upscaler": stored.upscaler,
    }
    anew = (*fields, "checks", "seed", "count", "delivery", "allow_suspicious", "allow_conflict")
    given = {k: getattr(params, k) for k in anew}
    fields |= {k: v for k, v in given.items() if v is not None}
    return GenerateParams(prompt="", **fields, init_image=init_image)


def _refs(stored: PictureParameters) -> list[LoraRef]:
    return [LoraRef(name=lora.name, alpha=lora.alpha) for lora in stored.loras]


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
    loras = settled(front, lora_specs(front, params.loras or []), params.allow_conflict)
    return Drawing(model_spec(front, found, load), found.defaults, loras)
