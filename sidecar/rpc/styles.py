"""Styles as requests name them: strengths that go together, and words in a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sidecar.catalog.conflicts import Styled, conflicts, fused
from sidecar.engine.contract import LoraSpec
from sidecar.errors import LoraConflict, LoraNotFound
from sidecar.prompt import Merged, Template, merge, merge_negative
from sidecar.protocol.base import LoraRef
from sidecar.protocol.lora import LoraCard
from sidecar.rpc.context import Front

DEFAULT_ALPHA = 0.7


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
    return [Styled(lora.name, lora.alpha, _group(front, lora.name)) for lora in loras]


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


def _group(front: Front, name: str) -> str | None:
    """The card's group; a file that went away meanwhile conflicts with nothing."""
    try:
        return front.loras.find(name).card.conflict_group
    except LoraNotFound:
        return None
