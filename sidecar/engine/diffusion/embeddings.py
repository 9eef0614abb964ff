"""Prompt embeddings, kept for as long as text and text encoder stay the same."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor

from sidecar.engine.diffusion.components import Components

State = tuple[tuple[str, float], ...]
KEPT = 128


@dataclass(frozen=True)
class Embedded:
    """`hidden`: (1, tokens, width). `dropped`: tokens that did not fit. `fresh`: not cached."""

    hidden: Tensor
    dropped: int
    fresh: bool


class PromptEmbeddings:
    """An LRU cache keyed by the text and the LoRAs merged into the text encoder."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._kept: OrderedDict[tuple[str, State], Embedded] = OrderedDict()

    def embed(self, text: str, state: State) -> Embedded:
        """`state`: (hash, alpha) of each LoRA that is merged into the text encoder."""
        key = (text, state)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return Embedded(found.hidden, found.dropped, fresh=False)
        fresh = self._compute(text)
        self._kept[key] = fresh
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return fresh

    def _compute(self, text: str) -> Embedded:
        tokens = self._components.tokenizer(text)
        ids = torch.tensor([tokens.ids], device=self._components.device.torch)
        return Embedded(self._components.text_encoder(ids), tokens.dropped, fresh=True)
