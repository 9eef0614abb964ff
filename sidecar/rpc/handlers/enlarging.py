"""upscale, enhance, and either of them again."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from sidecar.engine.contract import EnhanceSpec, UpscaleSpec
from sidecar.errors import ModelNotLoaded
from sidecar.jobs.job import Job
from sidecar.protocol.base import ImageIn, LoraRef
from sidecar.protocol.finishing import Delivery, EnhanceParams, UpscaleParams
from sidecar.protocol.history import HistoryEntry, RepeatParams
from sidecar.protocol.pictures import GenerateParams
from sidecar.rpc.context import Call, Front
from sidecar.rpc.enlarge_work import EnlargeWork
from sidecar.rpc.finishing_specs import enhance_spec, upscale_spec
from sidecar.rpc.images import data_url
from sidecar.rpc.specs import Drawing, drawing_now
from sidecar.rpc.styles import style_ref


def upscale(call: Call, params: UpscaleParams) -> Future[Any]:
    return _submit(call, upscale_spec(call.front, params), params.delivery)


def enhance(call: Call, params: EnhanceParams) -> Future[Any]:
    """Raises ModelNotLoaded where diffusion is asked for and there is no model."""
    front = call.front
    drawing = None
    if front.projection.current.model is not None and params.path != "onnx":
        drawing = drawing_now(front, _as_generate(front, params))
    elif params.path == "diffusion":
        raise ModelNotLoaded()
    spec = enhance_spec(front, params, drawing)
    gate = front.guard.clear(drawing.loras, params.allow_suspicious) if drawing else None
    return _submit(call, spec, params.delivery, gate)


def again(call: Call, entry: HistoryEntry, params: RepeatParams, drawing: Drawing | None) -> Any:
    """The same once more, from the picture that was sent in then. `drawing`: None unless it was
    redrawn."""
    front, stored = call.front, entry.parameters
    source = front.history.init_image(entry.id)
    url = data_url("image/png", source or front.history.picture(entry.id))
    image = params.init_image or ImageIn(path=None, data_url=url)
    common = {
        "image": image,
        "scale": stored.upscale,
        "checks": params.checks,
        "delivery": params.delivery,
    }
    upscaler = params.upscaler or stored.upscaler
    if stored.method == "upscale":
        return upscale(call, UpscaleParams.model_validate({**common, "model": upscaler}))
    redo = EnhanceParams.model_validate(
        {
            **common,
            "path": "diffusion" if drawing else "onnx",
            "prompt": stored.prompt if params.prompt is None else params.prompt,
            "negative_prompt": params.negative_prompt or stored.negative_prompt,
            "strength": params.strength or stored.strength or 0.4,
            "steps": params.steps or max(1, stored.steps),
            "guidance_scale": params.guidance_scale or stored.guidance_scale,
            "sampler": params.sampler or stored.sampler or "dpmpp_2m",
            "seed": params.seed,
            "upscaler": upscaler,
            "anyway": True,
        }
    )
    spec = enhance_spec(front, redo, drawing)
    gate = front.guard.clear(drawing.loras, params.allow_suspicious) if drawing else None
    return _submit(call, spec, params.delivery, gate)


def _as_generate(front: Front, params: EnhanceParams) -> GenerateParams:
    """What decides about model and styles."""
    if params.lora is None:
        return GenerateParams.model_validate({"prompt": params.prompt})
    ref = style_ref(front.loras.find(params.lora).card)
    if params.alpha is not None:
        ref = LoraRef(name=ref.name, alpha=params.alpha)
    return GenerateParams.model_validate({"prompt": params.prompt, "loras": [ref]})


def _submit(
    call: Call,
    spec: UpscaleSpec | EnhanceSpec,
    delivery: Delivery,
    gate: Future[None] | None = None,
) -> Future[Any]:
    work = EnlargeWork(call.front, spec, delivery, call.room)
    model = spec.render.model if isinstance(spec, EnhanceSpec) and spec.render else None
    return call.front.jobs.submit(Job("enlarge", model, work, call.request_id, gate=gate))
