"""One render job: prompts, sampling, looks on the way, decoding, finished pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from sidecar.engine.allocator import huge_blocks_apart
from sidecar.engine.contract import (
    CancelToken,
    Emit,
    EngineWarning,
    Frame,
    ImageReady,
    Progress,
    RenderSpec,
)
from sidecar.engine.diffusion import devices, images
from sidecar.engine.diffusion.activations import Sizes
from sidecar.engine.diffusion.batches import batches
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.embeddings import Embedded, PromptEmbeddings, States
from sidecar.engine.diffusion.forecast import DECODE, DENOISE, ENCODE, sizes_of
from sidecar.engine.diffusion.low_vram import VAE_TILING, decode_tiled, encode_tiled
from sidecar.engine.diffusion.preview import LatentPreview
from sidecar.engine.diffusion.sample import Drawing, sample, steps_of
from sidecar.engine.pictures.encode import MIME, encode, thumbnail
from sidecar.errors import NumericalFault

FRAME_PX = 96

Measure = Callable[[str, Sizes], AbstractContextManager[None]]
"""Watches what a phase (`forecast.DENOISE`, …) takes with so many pictures at once."""


@dataclass
class Took:
    """Milliseconds of each phase."""

    encode: float = 0.0
    denoise: float = 0.0
    decode: float = 0.0


class Renderer:
    """Draws with one set of components."""

    def __init__(
        self, components: Components, embeddings: PromptEmbeddings, preview: LatentPreview
    ) -> None:
        self._components = components
        self._embeddings = embeddings
        self._preview = preview
        self._unet_weights = _weights(components.unet)
        self._vae_weights = _weights(components.vae)

    def render(
        self,
        job_id: str,
        spec: RenderSpec,
        text_states: States,
        emit: Emit,
        cancel: CancelToken,
        at_once: int,
        measure: Measure,
    ) -> Took:
        """Raises Cancelled, NumericalFault, ImageUnreadable or ImageTooLarge."""
        took = Took()
        job = _Job(job_id, spec, emit, cancel)
        started = time.perf_counter()
        initial = self._encoded(spec, measure)
        prompt, negative = self._embed(job, text_states)
        took.encode = _since(started)
        taken = steps_of(spec.steps, initial is not None, spec.strength)
        all_batches = batches(spec, at_once)
        for place, indices in enumerate(all_batches):
            cancel.check()
            started = time.perf_counter()
            drawing = Drawing(
                prompt=prompt,
                negative=negative,
                guidance_scale=spec.guidance_scale,
                width=spec.width,
                height=spec.height,
                steps=spec.steps,
                sampler=spec.sampler,
                seeds=tuple(spec.seed + index for index in indices),
                initial=initial,
                strength=spec.strength,
            )
            looks = _Looks(job, self._preview, indices, place * taken, len(all_batches) * taken)
            threads = devices.threads_for_step(self._unet_weights, self._cells(drawing))
            sizes = sizes_of(spec, len(indices))
            with threads, measure(DENOISE, sizes):
                latents = sample(self._components, drawing, looks.after_step, cancel)
            took.denoise += _since(started)
            started = time.perf_counter()
            self._finish(job, indices, latents, partial(measure, DECODE, sizes))
            took.decode += _since(started)
        return took

    def _encoded(self, spec: RenderSpec, measure: Measure) -> Tensor | None:
        """`Vae.moments` of the initial picture, from which all batches start."""
        if not spec.init_image:
            return None
        pixels = images.decode(spec.init_image, spec.width, spec.height)
        with huge_blocks_apart(), measure(ENCODE, sizes_of(spec, 1)):
            return self._moments(pixels)

    def _moments(self, pixels: Tensor) -> Tensor:
        components, vae = self._components, self._components.vae
        cells = pixels[0, 0].numel() // vae.downscale**2
        pixels = pixels.to(components.device.torch, components.vae_dtype)
        threads = devices.threads_for_step(self._vae_weights, cells)
        with threads, components.in_use(vae):
            if VAE_TILING in components.low_vram:
                channels = 2 * vae.latent_channels
                return encode_tiled(vae.moments, pixels, vae.downscale, channels).float()
            return vae.moments(pixels).float()

    def _cells(self, drawing: Drawing) -> int:
        """Of the latents that go through the UNet in one step."""
        scale = self._components.vae.downscale
        rows = len(drawing.seeds) * (1 if drawing.negative is None else 2)
        return rows * (drawing.height // scale) * (drawing.width // scale)

    def _embed(self, job: _Job, states: States) -> tuple[Embedded, Embedded | None]:
        spec = job.spec
        prompt = self._embeddings.embed(spec.prompt, states)
        self._tell_dropped(job, prompt)
        negative = None
        if spec.guidance_scale > 1:
            job.cancel.check()
            negative = self._embeddings.embed_negative(spec.negative_prompt, states)
            self._tell_dropped(job, negative)
        job.progress("encode", 1, 1)
        return prompt, negative

    def _tell_dropped(self, job: _Job, embedded: Embedded) -> None:
        if embedded.dropped and embedded.fresh:
            limit = self._components.tokenizer.length - 2
            job.emit(
                EngineWarning("prompt_truncated", {"limit": limit, "dropped": embedded.dropped})
            )

    def _finish(
        self,
        job: _Job,
        indices: tuple[int, ...],
        latents: Tensor,
        measure: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Decode one at a time: the peak of a picture is its decoding. What is done with pictures
        where they are sent to is not measured with it."""
        spec = job.spec
        for index, one in zip(indices, latents[:, None], strict=True):
            job.cancel.check()
            with huge_blocks_apart(), measure():
                picture = images.to_picture(self._decode(job, one))
            small = b""
            if spec.thumbnail_px:
                small, _, _ = thumbnail(picture, spec.thumbnail_px)
            data = encode(picture, spec.image_format)
            job.progress("decode", index - spec.seed_offset + 1, spec.count - spec.seed_offset)
            job.emit(
                ImageReady(
                    job_id=job.id,
                    index=index,
                    seed=spec.seed + index,
                    mime=MIME[spec.image_format],
                    width=picture.width,
                    height=picture.height,
                    data=data,
                    thumbnail=small,
                )
            )

    def _decode(self, job: _Job, latents: Tensor) -> Tensor:
        """Pixels (3, height, width), checked; once more in full precision where half failed."""
        if not _finite(latents):
            raise NumericalFault(what="NaN after sampling")
        components = self._components
        pixels = self._pixels(latents.to(components.vae_dtype))
        if not _sound(pixels) and components.vae_dtype != torch.float32:
            job.emit(EngineWarning("nan_retry"))
            with _in_full(components.vae, components.vae_dtype):
                pixels = self._pixels(latents.float())
        if not _sound(pixels):
            raise NumericalFault(what="NaN" if not _finite(pixels) else "black")
        return pixels[0]

    def _pixels(self, latents: Tensor) -> Tensor:
        vae = self._components.vae
        threads = devices.threads_for_step(self._vae_weights, latents[:, 0].numel())
        with threads, self._components.in_use(vae):
            if VAE_TILING in self._components.low_vram:
                return decode_tiled(vae.decode, latents, vae.downscale)
            return vae.decode(latents)


@dataclass(frozen=True)
class _Job:
    id: str
    spec: RenderSpec
    emit: Emit
    cancel: CancelToken

    def progress(self, phase: str, step: int, steps: int) -> None:
        self.emit(Progress(self.id, phase, step, steps))


@dataclass(frozen=True)
class _Looks:
    """Tells of steps and sends looks at one batch. `before` steps were taken for earlier ones."""

    job: _Job
    preview: LatentPreview
    indices: tuple[int, ...]
    before: int
    total: int

    def after_step(self, step: int, steps: int, pictures: Tensor) -> None:
        spec = self.job.spec
        self.job.progress("denoise", self.before + step, self.total)
        early = step == 1 and spec.thumbnail_px > 0
        due = spec.frame_every > 0 and step % spec.frame_every == 0 and step < steps
        if early or due:
            self._send(step, steps, pictures, early)

    def _send(self, step: int, steps: int, latents: Tensor, early: bool) -> None:
        longest = self.job.spec.thumbnail_px or FRAME_PX
        for index, pixels in zip(self.indices, self.preview(latents), strict=True):
            data, width, height = thumbnail(images.to_picture(pixels), longest)
            self.job.emit(
                Frame(
                    job_id=self.job.id,
                    index=index,
                    step=step,
                    steps=steps,
                    early=early,
                    mime="image/webp",
                    width=width,
                    height=height,
                    data=data,
                )
            )


@contextmanager
def _in_full(vae: nn.Module, dtype: torch.dtype) -> Generator[None]:
    try:
        vae.float()
        yield
    finally:
        vae.to(dtype)


def _weights(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(tensor).all())


def _sound(pixels: Tensor) -> bool:
    """Finite, and not black from edge to edge."""
    return _finite(pixels) and bool((pixels > -0.99).any())


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
