"""A model as one `.safetensors` file, in the form that A1111 and Civitai made common.

How a Stable Diffusion 2 says that it predicts velocity and not noise: nothing in the layout
tells, so these are asked in turn: a `NAME.yaml` beside the file (A1111's convention), a marker
tensor or metadata in the file, and last the weights (docs/decisions/0006).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sidecar.engine.diffusion.checkpoint_names import (
    Slot,
    Slots,
    clip_slots,
    open_clip_slots,
    vae_slots,
)
from sidecar.engine.diffusion.ldm_names import UNetNames
from sidecar.engine.diffusion.nets.unet_config import Unbuildable
from sidecar.engine.diffusion.source import PartSource, Source
from sidecar.engine.diffusion.tokenizer import END, ZERO, PromptTokenizer
from sidecar.engine.diffusion.weights import Header, read_header, read_tensor
from sidecar.model_format.kinds import CLIP, UNET, VAE, NotDrawable, TextPart, is_vae
from sidecar.model_format.measures import NOISE, Measures, measure, vae_config
from sidecar.paths import clip_vocabulary

V_MARKS, ZERO_SNR_MARKS = ("v_pred",), ("ztsnr",)
V_METADATA = ("modelspec.prediction_type", "modelspec.predict_key", "ss_v_parameterization")
V_SPREAD = 0.09
LAST_NORM = "output_blocks.11.1.transformer_blocks.0.norm1.bias"
_YAML_V = re.compile(r"^\s*parameterization:\s*[\"']?(v|eps)\b", re.MULTILINE)


def checkpoint_source(path: Path, vae: PartSource | None) -> Source:
    """`vae`: used instead of the file's own. Raises Unbuildable, ValueError or AssetMissing."""
    header = read_header([path])
    try:
        measures = measure(header.shapes())
    except NotDrawable as exc:
        raise Unbuildable(str(exc)) from exc
    family = measures.kind.family
    if vae is None and not measures.kind.has_vae:
        raise Unbuildable("it holds no VAE; name one with `vae`")
    text = tuple(_text(header, part, measures) for part in measures.kind.text)
    return Source(
        family=family,
        unet=_unet(header, measures.configs["unet"]),
        vae=vae or _vae(header, VAE, measures.configs["vae"]),
        text=text,
        tokenizers=_tokenizers(measures),
        noise={**NOISE, **_prediction(path, header, family)},
        zero_negative=family == "sdxl",
    )


def vae_of_file(path: Path, family: str) -> PartSource:
    """The autoencoder in a file: alone, in either naming, or within a checkpoint.

    `family`: of the model it is used with; a file does not say how latents are scaled.
    """
    header = read_header([path])
    shapes = header.shapes()
    if not is_vae(shapes):
        raise Unbuildable("it holds no VAE")
    prefix = VAE if f"{VAE}decoder.conv_in.weight" in shapes else ""
    tensors = header.within(prefix)
    config = vae_config({name: stored.shape for name, stored in tensors.items()}, family)
    return _vae(header, prefix, config)


def _unet(header: Header, config: Mapping[str, Any]) -> PartSource:
    names = UNetNames(config)

    def slots(name: str) -> tuple[Slot, ...] | None:
        ours = names.to_diffusers(name)
        return None if ours is None else (Slot(ours),)

    return PartSource(config, header.within(UNET), slots)


def _vae(header: Header, prefix: str, config: Mapping[str, Any]) -> PartSource:
    slots = vae_slots(len(config["block_out_channels"]))
    return PartSource(config, header.within(prefix), slots, strict=False)


def _text(header: Header, part: TextPart, measures: Measures) -> PartSource:
    slots: Slots = clip_slots if part.naming == CLIP else open_clip_slots
    config = measures.configs[part.component]
    return PartSource(config, header.within(part.prefix), slots, strict=False)


def _tokenizers(measures: Measures) -> tuple[PromptTokenizer, ...]:
    """CLIP's, filled up as each text encoder was trained: OpenAI's with ends, OpenCLIP's with 0."""
    length = measures.configs["text_encoder"]["max_position_embeddings"]
    clip = PromptTokenizer.of_clip(clip_vocabulary(), END, length)
    if measures.kind.family == "sd15":
        return (clip,)
    zeros = clip.padded_with(ZERO)
    return (clip, zeros) if measures.kind.family == "sdxl" else (zeros,)


def _prediction(path: Path, header: Header, family: str) -> dict[str, Any]:
    """What the UNet predicts, for the noise schedule."""
    velocity = _said_beside(path)
    if velocity is None:
        velocity = _said_within(header)
    if velocity is None:
        velocity = family == "sd21" and _spread_of_velocity(header)
    rescaled = any(mark in header.stored for mark in ZERO_SNR_MARKS)
    return {
        "prediction_type": "v_prediction" if velocity else "epsilon",
        "rescale_betas_zero_snr": rescaled,
    }


def _said_beside(path: Path) -> bool | None:
    try:
        text = path.with_suffix(".yaml").read_text("utf-8", errors="replace")
    except OSError:
        return None
    found = _YAML_V.search(text)
    # The original configs of models that predict noise do not mention it.
    return found is not None and found[1] == "v"


def _said_within(header: Header) -> bool | None:
    if any(mark in header.stored for mark in V_MARKS):
        return True
    for key in V_METADATA:
        value = header.metadata.get(key, "").lower()
        if value in ("v", "v_prediction", "v-prediction", "true"):
            return True
        if value in ("epsilon", "eps", "noise", "false"):
            return False
    return None


def _spread_of_velocity(header: Header) -> bool:
    """ComfyUI's test: this bias spreads further in the models that predict velocity."""
    stored = header.stored.get(f"{UNET}{LAST_NORM}")
    return stored is not None and float(read_tensor(stored).float().std(correction=0)) > V_SPREAD
