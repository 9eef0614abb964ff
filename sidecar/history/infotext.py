"""The recipe of a picture as a line of text, in the form of AUTOMATIC1111's web UI.

Third-party readers (galleries, Civitai, other UIs) parse it from the PNG text `parameters`.
Quoting and parsing follow `modules/infotext_utils.py` of that project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.protocol.lora import StackEntry
from sidecar.protocol.pictures import PictureParameters

SAMPLER_NAMES = {
    "dpmpp_2m": "DPM++ 2M",
    "dpmpp_2m_karras": "DPM++ 2M Karras",
    "euler": "Euler",
    "euler_a": "Euler a",
    "ddim": "DDIM",
    "unipc": "UniPC",
    "lcm": "LCM",
}
HASH_LENGTH = 12

_NEGATIVE = "Negative prompt:"
_FIELD = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_LORA_TAG = re.compile(r"<lora:([^:>]+):([^:>]+)>")


@dataclass(frozen=True)
class Infotext:
    """What a reader finds: prompt without tags, (name, alpha) of each LoRA tag, other fields."""

    prompt: str
    negative_prompt: str
    loras: tuple[tuple[str, float], ...] = ()
    fields: dict[str, str] = field(default_factory=dict[str, str])


def infotext(parameters: PictureParameters, version: str) -> str:
    """The text for `parameters`; `version` is ours, as "0.1.0"."""
    p = parameters
    fields: dict[str, str | int | float] = {
        "Size": f"{p.drawn_width or p.width}x{p.drawn_height or p.height}",
        "Model": p.model,
    }
    if p.sampler is not None:
        fields = {
            "Steps": p.steps,
            "Sampler": SAMPLER_NAMES[p.sampler],
            "CFG scale": _number(p.guidance_scale),
            "Seed": p.seed,
            **fields,
        }
    if p.upscaler is not None:
        way = "Hires upscale" if p.method == "generate" else "Postprocess upscale by"
        fields[way] = p.upscale
        fields[way.removesuffix(" by").replace("upscale", "upscaler")] = p.upscaler
    if p.vae is not None:
        fields["VAE"] = p.vae
    if p.strength is not None:
        fields["Denoising strength"] = _number(p.strength)
    hashes = _hashes(p.loras)
    if hashes:
        fields["Lora hashes"] = hashes
    fields["Version"] = f"LoRA Sidecar {version}"
    lines = [" ".join([p.prompt, *map(_tag, p.loras)]).strip()]
    if p.negative_prompt:
        lines.append(f"{_NEGATIVE} {p.negative_prompt}")
    lines.append(", ".join(f"{name}: {quote(value)}" for name, value in fields.items()))
    return "\n".join(lines)


def parse_infotext(text: str) -> Infotext:
    """The parts of a text in this form, also one that another program wrote."""
    *lines, last = text.strip().split("\n")
    if len(_FIELD.findall(last)) < 3:
        lines, last = [*lines, last], ""
    prompt, negative = _split_negative(lines)
    loras = tuple((name, _alpha(alpha)) for name, alpha in _LORA_TAG.findall(prompt))
    fields = {name: unquote(value) for name, value in _FIELD.findall(last)}
    return Infotext(_LORA_TAG.sub("", prompt).strip(), negative, loras, fields)


def quote(value: str | int | float) -> str:
    """A field's value; in JSON quotes where it would break the list of fields."""
    text = str(value)
    if not any(c in text for c in ',\n:"'):
        return text
    return json.dumps(text, ensure_ascii=False)


def unquote(text: str) -> str:
    """The inverse of `quote`; text that only looks quoted is left as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text


def _split_negative(lines: Sequence[str]) -> tuple[str, str]:
    prompt: list[str] = []
    negative: list[str] = []
    target = prompt
    for line in lines:
        if line.startswith(_NEGATIVE):
            target, line = negative, line.removeprefix(_NEGATIVE).strip()
        target.append(line)
    return "\n".join(prompt).strip(), "\n".join(negative).strip()


def _tag(lora: StackEntry) -> str:
    return f"<lora:{lora.name}:{_number(lora.alpha)}>"


def _hashes(loras: Sequence[StackEntry]) -> str:
    return ", ".join(f"{lora.name}: {lora.sha256[:HASH_LENGTH]}" for lora in loras if lora.sha256)


def _number(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


def _alpha(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0
