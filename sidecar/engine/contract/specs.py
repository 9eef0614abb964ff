"""What is to be done, with everything it needs."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.engine.contract.memory import Afterwards
from sidecar.engine.contract.pictures import NO_CHECKS, CheckSpec, Enlarging, UpscalerSpec


@dataclass(frozen=True)
class ModelSpec:
    """What to make resident. `path`: a diffusers folder or a single file; `name`: for people.

    `vae`, `vae_path`: the same of a VAE that is used instead of the model's own.
    """

    name: str
    path: str
    family: str
    vae: str | None = None
    dtype: str = "auto"
    low_vram: str = "auto"
    no_half_vae: bool = False
    vae_path: str | None = None


@dataclass(frozen=True)
class LoraSpec:
    """One LoRA of a stack: `alpha` multiplies the file's own lora_alpha/rank scale."""

    name: str
    path: str
    alpha: float


@dataclass(frozen=True)
class RenderSpec:
    """One or more pictures. Picture `i` of `count` uses seed `seed + i`; sizes are pixels.

    `seed_offset`: pictures before it are finished already (a repeated job skips them).
    `image_format`: "png" or "webp". `thumbnail_px`: longest side of thumbnails; 0 for none.
    `frame_every`: a decoded step preview every that many steps; 0 for none.
    `init_image`: an encoded picture for img2img, changed by `strength` (0..1).
    `enlarging`: draw smaller and enlarge; None: draw at this size. `checks`: on each picture.
    `afterwards`: the memory that both take; None: nothing is known of it.
    """

    model: ModelSpec
    loras: tuple[LoraSpec, ...]
    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance_scale: float
    sampler: str
    seed: int
    count: int = 1
    seed_offset: int = 0
    init_image: bytes | None = None
    strength: float = 1.0
    image_format: str = "png"
    thumbnail_px: int = 96
    frame_every: int = 0
    enlarging: Enlarging | None = None
    checks: CheckSpec = NO_CHECKS
    afterwards: Afterwards | None = None


@dataclass(frozen=True)
class UpscaleSpec:
    """Enlarge `image` (encoded) `scale` times. The result is written to a file in `folder`."""

    image: bytes
    scale: int
    upscaler: UpscalerSpec
    folder: str
    checks: CheckSpec = NO_CHECKS
    thumbnail_px: int = 96


@dataclass(frozen=True)
class EnhanceSpec:
    """Make `upscale.image` better, at `upscale.scale` times its size.

    `path`: "auto", "diffusion" or "onnx". `render`: how to draw, without picture and size; None
    where no model is loaded. `tile`: pixels a side, above which diffusion goes piece by piece.
    `anyway`: also a picture that promises nothing.
    """

    upscale: UpscaleSpec
    path: str
    render: RenderSpec | None
    tile: int
    anyway: bool = False

    def draws(self, device: str) -> bool:
        """Whether it goes by diffusion on such a device."""
        if self.path != "auto":
            return self.path == "diffusion"
        return self.render is not None and device != "cpu"
