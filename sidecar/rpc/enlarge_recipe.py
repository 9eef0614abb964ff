"""The recipes of pictures that were made of other pictures."""

from __future__ import annotations

import hashlib
from typing import Any

from sidecar.catalog.families import UPSCALER
from sidecar.engine.contract import EnhanceSpec, ImageReady, UpscaleSpec
from sidecar.history.recipe import PNG, read_recipe
from sidecar.protocol.pictures import PictureParameters
from sidecar.rpc.context import Front
from sidecar.rpc.specs import recipe


def upscaled_recipe(spec: UpscaleSpec, image: ImageReady) -> PictureParameters:
    """What the picture was drawn with before, if it is one of ours; and what was done now."""
    found = read_recipe(spec.image, PNG)
    before = found.recipe.parameters if found is not None else _not_drawn(spec)
    return before.model_copy(update=_done(spec, image, "upscale"))


def enhanced_recipe(
    front: Front, spec: EnhanceSpec, image: ImageReady, path: str
) -> PictureParameters:
    """Redrawn: what it was redrawn with. Sharpened: as for an upscaled picture."""
    if path == "diffusion" and spec.render is not None:
        redrawn = recipe(front, spec.render, image.seed)
        update = _done(spec.upscale, image, "enhance") | {"strength": spec.render.strength}
        if spec.upscale.scale == 1:
            update["upscaler"] = None
        return redrawn.model_copy(update=update)
    sharpened = upscaled_recipe(spec.upscale, image)
    return sharpened.model_copy(update={"method": "enhance", "sampler": None})


def _done(spec: UpscaleSpec, image: ImageReady, method: str) -> dict[str, Any]:
    return {
        "method": method,
        "width": image.width,
        "height": image.height,
        "upscale": spec.scale,
        "upscaler": spec.upscaler.name,
        "drawn_width": image.width // spec.scale,
        "drawn_height": image.height // spec.scale,
        "init_image_sha256": hashlib.sha256(spec.image).hexdigest(),
    }


def _not_drawn(spec: UpscaleSpec) -> PictureParameters:
    """Of a picture from elsewhere."""
    nothing = dict.fromkeys(("width", "height", "steps", "guidance_scale", "seed"), 0)
    words = {"prompt": "", "negative_prompt": "", "model": spec.upscaler.name, "family": UPSCALER}
    return PictureParameters.model_validate({**nothing, **words, "sampler": None, "loras": []})
