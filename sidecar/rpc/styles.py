"""Styles as requests name them: strengths that go together, and words in a prompt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sidecar.catalog.conflicts import Styled, conflicts, fused
from sidecar.engine.contract import LoraSpec, ModelSpec
from sidecar.errors import LoraConflict, SidecarError
from sidecar.prompt import Merged, Template, merge, merge_negative
from sidecar.protocol.base import LoraRef
from sidecar.protocol.lora import LoraCard
from sidecar.rpc.context import Front

DEFAULT_ALPHA = 0.7

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wording:
    """A style, and the prompts as they were before its words came in."""

    style: str
    own_prompt: str
    own_negative_prompt: str


@dataclass(frozen=True)
class Worded:
    """What is drawn: the merged prompts; `wording` is None without a style."""

    prompt: str
    negative_prompt: str
    wording: Wording | None = None


def styled(front: Front, loras: Sequence[LoraSpec]) -> list[Styled]:
    """The stack with the conflict groups of its cards."""
    return [Styled(lora.name, lora.alpha, _card(front, lora).conflict_group) for lora in loras]


def settled(
    front: Front, loras: tuple[LoraSpec, ...], allow_conflict: bool
) -> tuple[LoraSpec, ...]:
    """The stack as it may be used: unchanged, or with lower alphas where that is allowed.

    Raises LoraConflict, with the alphas that would do.
    """
    if len(loras) < 2:
        return loras
    limit = front.settings.fusion_limit
    stack = styled(front, loras)
    found = conflicts(stack, limit)
    if not found:
        return loras
    alphas = fused(stack, limit)
    if not allow_conflict:
        suggested = [
            {"name": lora.name, "alpha": alpha} for lora, alpha in zip(loras, alphas, strict=True)
        ]
        first = found[0]
        raise LoraConflict(
            names=list(first.names), group=first.group, limit=first.limit, suggested=suggested
        )
    return tuple(replace(lora, alpha=alpha) for lora, alpha in zip(loras, alphas, strict=True))


def style_ref(card: LoraCard) -> LoraRef:
    """A style by itself, at the usual strength or the nearest that its card recommends."""
    low, high = card.alpha_range or (DEFAULT_ALPHA, DEFAULT_ALPHA)
    return LoraRef(name=card.name, alpha=max(-2.0, min(2.0, high, max(low, DEFAULT_ALPHA))))


def worded(front: Front, prompt: str, negative_prompt: str, style: str | None) -> Worded:
    """The prompts with the style's words. Raises LoraNotFound."""
    if style is None:
        return Worded(prompt, negative_prompt)
    card = front.loras.find(style).card
    merged, negative = merged_prompts(prompt, negative_prompt, card)
    wording = Wording(card.name, prompt, negative_prompt)
    return Worded(merged.text, negative.text, wording)


def merged_prompts(prompt: str, negative_prompt: str, card: LoraCard) -> tuple[Merged, Merged]:
    template = template_of(card)
    return merge(prompt, template), merge_negative(negative_prompt, template)


def template_of(card: LoraCard) -> Template:
    """What the card says about prompts."""
    text = card.prompt_template or "{prompt}"
    return Template(text, tuple(card.trigger_words), card.negative_prompt or "")


def model_for(front: Front, model: ModelSpec, loras: Sequence[LoraSpec]) -> ModelSpec:
    """The model with the VAE that the first style naming one asks for, unless the caller chose one
    with the model. A VAE that is not there is warned of, and the model's own is used."""
    cards = [_card(front, lora) for lora in loras]
    if any(card.no_half_vae for card in cards):
        model = replace(model, no_half_vae=True)
    asking = next((card for card in cards if card.vae is not None), None)
    if model.vae is not None or asking is None or asking.vae is None:
        return model
    try:
        vae = front.models.find_vae(asking.vae)
    except SidecarError as exc:
        front.warn_once("style_vae_missing", {"name": asking.name, "vae": asking.vae})
        log.info("the VAE of style %s: %s", asking.name, exc)
        return model
    return replace(model, vae=vae.name, vae_path=str(vae.path))


def chosen_model(front: Front, drawn: ModelSpec, loras: Sequence[LoraSpec]) -> ModelSpec:
    """What `model_for` made `drawn` of: the model without what these styles ask for themselves."""
    without_vae = replace(drawn, vae=None, vae_path=None)
    for bare in (replace(without_vae, no_half_vae=False), without_vae):
        if model_for(front, bare, loras) == drawn:
            return bare
    return drawn


def _card(front: Front, lora: LoraSpec) -> LoraCard:
    return front.loras.card_of(lora.name, Path(lora.path))
