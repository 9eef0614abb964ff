"""What is to be done with pictures beside drawing them, from requests and settings."""

from __future__ import annotations

import logging
from dataclasses import replace

from sidecar.catalog.models import Defaults
from sidecar.engine.contract import (
    CheckSpec,
    EnhanceSpec,
    Enlarging,
    RenderSpec,
    UpscalerSpec,
    UpscaleSpec,
)
from sidecar.errors import AssetMissing
from sidecar.protocol.finishing import Checks, EnhanceParams, UpscaleParams
from sidecar.protocol.names import MIN_SIDE
from sidecar.protocol.pictures import GenerateParams, PictureParams
from sidecar.rpc.context import Front
from sidecar.rpc.images import read_image
from sidecar.rpc.specs import Drawing, full_spec

FACTORS = (4, 2)
NEAR_OWN_SIZE = 0.9
"""A planned drawing is at least this part of the model's own size."""
ONE_PIECE, TIMES_OWN_SIZE = 1024, 2
"""Diffusion takes pictures up to that side, or that many times the model's own, in one piece."""
OF_DRAWING = ("prompt", "negative_prompt", "steps", "guidance_scale", "sampler", "seed")

log = logging.getLogger(__name__)


def checks_spec(front: Front, asked: Checks | None) -> CheckSpec:
    """What is asked for, and as the sidecar was started where nothing is."""
    s, a = front.settings, asked or Checks.model_validate({})
    return CheckSpec(
        nsfw=a.nsfw or s.check_nsfw,
        codes=a.codes or s.check_codes,
        text=a.text or s.check_text,
        nsfw_threshold=a.nsfw_threshold or s.nsfw_threshold,
    )


def upscaler_spec(front: Front, name: str | None) -> UpscalerSpec:
    """Raises ModelNotFound or AssetMissing."""
    found = front.upscalers.find(name)
    return UpscalerSpec(found.name, str(found.path))


def checked(front: Front, spec: RenderSpec, params: PictureParams) -> RenderSpec:
    return replace(spec, checks=checks_spec(front, params.checks))


def finished(
    front: Front, spec: RenderSpec, params: GenerateParams, defaults: Defaults
) -> RenderSpec:
    """The spec with its checks, and with the plan to draw smaller where that is asked or pays."""
    spec = checked(front, spec, params)
    factor = params.upscale
    if factor is None:
        return _planned(front, spec, params, defaults)
    if params.width is None and params.height is None:
        spec = replace(spec, width=spec.width * factor, height=spec.height * factor)
    while factor > 1 and min(spec.width, spec.height) < factor * MIN_SIDE:
        factor //= 2
    if factor == 1:
        return spec
    upscaler = upscaler_spec(front, params.upscaler)
    return replace(spec, enlarging=_enlarging(spec, factor, upscaler, without_gpu_only=False))


def _planned(
    front: Front, spec: RenderSpec, params: GenerateParams, defaults: Defaults
) -> RenderSpec:
    """Sizes far beyond the model's own: it would take long and repeat its subject."""
    least = NEAR_OWN_SIZE * max(defaults.width, defaults.height)
    longer = max(spec.width, spec.height)
    factor = next((f for f in FACTORS if longer >= f * least), 1)
    if factor == 1 or spec.init_image is not None:
        return spec
    try:
        upscaler = upscaler_spec(front, params.upscaler)
    except AssetMissing as exc:
        log.info("pictures are drawn at full size: %s", exc)
        return spec
    return replace(spec, enlarging=_enlarging(spec, factor, upscaler, without_gpu_only=True))


def _enlarging(
    spec: RenderSpec, factor: int, upscaler: UpscalerSpec, without_gpu_only: bool
) -> Enlarging:
    """The size of the drawing is a multiple of 8, and never too small to be cut from."""
    width, height = (max(MIN_SIDE, -(-side // (8 * factor)) * 8) for side in _sides(spec))
    return Enlarging(upscaler, factor, width, height, without_gpu_only)


def _sides(spec: RenderSpec) -> tuple[int, int]:
    return spec.width, spec.height


def upscale_spec(front: Front, params: UpscaleParams) -> UpscaleSpec:
    """Raises ModelNotFound, AssetMissing or ImageUnreadable."""
    return UpscaleSpec(
        image=read_image(params.image),
        scale=params.scale,
        upscaler=upscaler_spec(front, params.model),
        folder=unfinished_folder(front),
        checks=checks_spec(front, params.checks),
    )


def enhance_spec(front: Front, params: EnhanceParams, drawing: Drawing | None) -> EnhanceSpec:
    """`drawing`: None where no model is loaded. Raises as `upscale_spec`."""
    upscale = UpscaleSpec(
        image=read_image(params.image),
        scale=params.scale,
        upscaler=upscaler_spec(front, params.upscaler),
        folder=unfinished_folder(front),
        checks=checks_spec(front, params.checks),
    )
    if drawing is None:
        return EnhanceSpec(upscale, params.path, None, 0, params.anyway)
    fields = {name: getattr(params, name) for name in OF_DRAWING}
    asked = GenerateParams.model_validate(fields)
    spec = replace(full_spec(drawing, asked, 1), strength=params.strength)
    own = max(drawing.defaults.width, drawing.defaults.height)
    tile = max(ONE_PIECE, TIMES_OWN_SIZE * own)
    return EnhanceSpec(upscale, params.path, spec, tile, params.anyway)


def unfinished_folder(front: Front) -> str:
    """Where the engine puts large pictures for the front to take."""
    return str(front.unfinished.folder())
