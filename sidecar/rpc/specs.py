"""From requests and the projected state to what the engine is told, and back to recipes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.catalog.models import Defaults, FoundModel
from sidecar.engine.contract import LoraSpec, ModelSpec, RenderSpec
from sidecar.errors import ModelNotLoaded
from sidecar.protocol.base import LoraRef
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.models import LoadModelParams
from sidecar.protocol.pictures import PictureParameters, PictureParams
from sidecar.rpc.context import Front
from sidecar.rpc.images import read_image
from sidecar.rpc.styles import Wording, model_for, settled, style_ref

SEED_BITS = 32
FRAMES_PER_PICTURE = 4


@dataclass(frozen=True)
class Drawing:
    """What a picture is drawn with: a model that is there, and a LoRA stack."""

    model: ModelSpec
    defaults: Defaults
    loras: tuple[LoraSpec, ...]


def find_model(front: Front, name: str) -> FoundModel:
    """The model by name; noted, so that its defaults are at hand."""
    found = front.models.find(name)
    front.found_models[str(found.path)] = found
    return found


def model_spec(front: Front, found: FoundModel, params: LoadModelParams) -> ModelSpec:
    """Raises VaeNotFound, ModelUnsupported or ModelCorrupt for a VAE that cannot be used."""
    vae = front.models.find_vae(params.vae) if params.vae is not None else None
    return ModelSpec(
        name=found.name,
        path=str(found.path),
        family=found.family,
        vae=vae.name if vae else None,
        vae_path=str(vae.path) if vae else None,
        dtype=params.dtype,
        low_vram=params.low_vram,
        no_half_vae=params.no_half_vae,
    )


def lora_specs(front: Front, refs: Sequence[LoraRef]) -> tuple[LoraSpec, ...]:
    """Raises LoraNotFound."""
    found = [(front.loras.find(ref.name), ref.alpha) for ref in refs]
    return tuple(LoraSpec(lora.name, str(lora.path), alpha) for lora, alpha in found)


def drawing_now(front: Front, params: PictureParams) -> Drawing:
    """A snapshot of the projected state. Raises ModelNotLoaded, LoraNotFound, LoraConflict."""
    state = front.projection.current
    if state.model is None:
        raise ModelNotLoaded()
    loras = _stack_for(front, params, state.loras)
    model = model_for(front, state.model, loras)
    return Drawing(model, front.found_models[state.model.path].defaults, loras)


def _stack_for(
    front: Front, params: PictureParams, in_force: tuple[LoraSpec, ...]
) -> tuple[LoraSpec, ...]:
    """The stack that is named, else the one in force; else, when that lacks the style, the style
    alone."""
    if params.loras is not None:
        return settled(front, lora_specs(front, params.loras), params.allow_conflict)
    if params.style is None:
        return in_force
    card = front.loras.find(params.style).card
    if any(lora.name == card.name for lora in in_force):
        return in_force
    return lora_specs(front, [style_ref(card)])


def full_spec(drawing: Drawing, params: PictureParams, count: int) -> RenderSpec:
    """A finished picture."""
    d = drawing.defaults
    steps = params.steps or d.steps
    return _spec(
        drawing,
        params,
        width=params.width or d.width,
        height=params.height or d.height,
        steps=steps,
        count=count,
        image_format="png",
        thumbnail_px=96,
        frame_every=max(1, steps // FRAMES_PER_PICTURE),
    )


def preview_spec(drawing: Drawing, params: PictureParams) -> RenderSpec:
    """A quick look: few steps, small, WebP."""
    d = drawing.defaults
    scale = d.preview_side / max(d.width, d.height)
    return _spec(
        drawing,
        params,
        width=params.width or _multiple_of_8(d.width * scale),
        height=params.height or _multiple_of_8(d.height * scale),
        steps=params.steps or d.preview_steps,
        count=1,
        image_format="webp",
        thumbnail_px=0,
        frame_every=0,
    )


def _spec(
    drawing: Drawing,
    params: PictureParams,
    *,
    width: int,
    height: int,
    steps: int,
    count: int,
    image_format: str,
    thumbnail_px: int,
    frame_every: int,
) -> RenderSpec:
    d = drawing.defaults
    guidance = params.guidance_scale
    return RenderSpec(
        model=drawing.model,
        loras=drawing.loras,
        prompt=params.prompt,
        negative_prompt=params.negative_prompt,
        width=width,
        height=height,
        steps=steps,
        guidance_scale=d.guidance_scale if guidance is None else guidance,
        sampler=params.sampler or d.sampler,
        seed=secrets.randbits(SEED_BITS) if params.seed is None else params.seed,
        count=count,
        init_image=read_image(params.init_image) if params.init_image else None,
        strength=params.strength if params.init_image else 1.0,
        image_format=image_format,
        thumbnail_px=thumbnail_px,
        frame_every=frame_every,
    )


def _multiple_of_8(side: float) -> int:
    return max(64, int(side) // 8 * 8)


def recipe(
    front: Front,
    spec: RenderSpec,
    seed: int,
    wording: Wording | None = None,
    enlarged: int = 1,
) -> PictureParameters:
    """Everything that made one picture; reads LoRA files for their hashes, once each."""
    model = spec.model
    plan = spec.enlarging if enlarged > 1 else None
    loras = [
        StackEntry(name=s.name, alpha=s.alpha, sha256=front.hashes.of(s.path)) for s in spec.loras
    ]
    return PictureParameters(
        prompt=spec.prompt,
        negative_prompt=spec.negative_prompt,
        width=spec.width,
        height=spec.height,
        steps=spec.steps,
        guidance_scale=spec.guidance_scale,
        sampler=spec.sampler,  # type: ignore[arg-type]
        seed=seed,
        model=model.name,
        family=model.family,
        vae=model.vae,
        dtype=model.dtype,
        low_vram=model.low_vram,
        no_half_vae=model.no_half_vae,
        loras=loras,
        style=wording.style if wording else None,
        own_prompt=wording.own_prompt if wording else None,
        own_negative_prompt=wording.own_negative_prompt if wording else None,
        strength=spec.strength if spec.init_image else None,
        init_image_sha256=_sha256(spec.init_image) if spec.init_image else None,
        upscale=enlarged,
        upscaler=plan.upscaler.name if plan else None,
        drawn_width=plan.width if plan else None,
        drawn_height=plan.height if plan else None,
    )


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
