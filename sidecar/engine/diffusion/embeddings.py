"""Prompt embeddings, kept for as long as text and text encoders stay the same."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sidecar.engine.diffusion.components import Components

State = tuple[tuple[str, float], ...]
States = tuple[State, ...]
"""(hash, alpha) of each LoRA that is merged into a text encoder, for each of them."""

KEPT = 128


@dataclass(frozen=True)
class Embedded:
    """`hidden`: (1, tokens, width). `pooled`: (1, width), of SDXL only.

    `dropped`: tokens that did not fit. `fresh`: not from the cache.
    """

    hidden: Tensor
    pooled: Tensor | None
    dropped: int
    fresh: bool


class PromptEmbeddings:
    """An LRU cache keyed by the text and the LoRAs merged into the text encoders."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._kept: OrderedDict[tuple[str, States], Embedded] = OrderedDict()

    def embed(self, text: str, states: States) -> Embedded:
        """The embedding of a prompt."""
        key = (text, states)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return replace(found, fresh=False)
        fresh = self._compute(text)
        self._kept[key] = fresh
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return fresh

    def embed_negative(self, text: str, states: States) -> Embedded:
        """The embedding of a negative prompt; nothing is zeros where the model was trained so."""
        embedded = self.embed(text, states)
        if text or not self._components.zero_negative:
            return embedded
        pooled = None if embedded.pooled is None else torch.zeros_like(embedded.pooled)
        return replace(embedded, hidden=torch.zeros_like(embedded.hidden), pooled=pooled)

    def _compute(self, text: str) -> Embedded:
        parts = self._components
        tokens = parts.tokenizer(text)
        ids = self._ids(tokens.ids)
        if parts.text_encoder_2 is None or parts.tokenizer_2 is None:
            with parts.in_use(parts.text_encoder):
                return Embedded(parts.text_encoder(ids), None, tokens.dropped, fresh=True)
        with parts.in_use(parts.text_encoder):
            first = parts.text_encoder.penultimate(ids)
        with parts.in_use(parts.text_encoder_2):
            second, pooled = parts.text_encoder_2.penultimate_and_pooled(
                self._ids(parts.tokenizer_2(text).ids)
            )
        return Embedded(torch.cat([first, second], dim=-1), pooled, tokens.dropped, fresh=True)

    def _ids(self, ids: list[int]) -> Tensor:
        return torch.tensor([ids], device=self._components.device.torch)
