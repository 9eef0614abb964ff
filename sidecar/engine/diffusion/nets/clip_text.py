"""CLIP's text encoder (Radford et al. 2021), as Stable Diffusion uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidecar.engine.diffusion.nets.blocks import join_heads, split_heads
from sidecar.engine.diffusion.nets.layers import Embedding, LayerNorm, Linear

ACTIVATIONS = {"quick_gelu", "gelu"}
LEGACY_END = 2


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.k_proj = Linear(width, width)
        self.v_proj = Linear(width, width)
        self.q_proj = Linear(width, width)
        self.out_proj = Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            split_heads(project(x), self.heads)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out_proj(join_heads(attended))


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int, activation: str) -> None:
        super().__init__()
        self.quick = activation == "quick_gelu"
        self.fc1 = Linear(width, hidden)
        self.fc2 = Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x) if self.quick else functional.gelu(x))


class Layer(nn.Module):
    def __init__(self, width: int, hidden: int, heads: int, activation: str, eps: float) -> None:
        super().__init__()
        self.self_attn = SelfAttention(width, heads)
        self.layer_norm1 = LayerNorm(width, eps)
        self.mlp = FeedForward(width, hidden, activation)
        self.layer_norm2 = LayerNorm(width, eps)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    def __init__(self, words: int, positions: int, width: int) -> None:
        super().__init__()
        self.token_embedding = Embedding(words, width)
        self.position_embedding = Embedding(positions, width)

    def forward(self, ids: Tensor) -> Tensor:
        return self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[1]]


class Encoder(nn.Module):
    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)


class ClipTextEncoder(nn.Module):
    """Token ids (batch, tokens) to hidden states (batch, tokens, width).

    Stable Diffusion 1 and 2 read the last one, normalised; SDXL the one before it, as it is.
    With `projected` there is also the whole prompt as one vector.
    """

    def __init__(self, config: Mapping[str, Any], projected: bool = False) -> None:
        super().__init__()
        width, eps = config["hidden_size"], config.get("layer_norm_eps", 1e-5)
        activation = config.get("hidden_act", "quick_gelu")
        self.embeddings = Embeddings(
            config["vocab_size"], config.get("max_position_embeddings", 77), width
        )
        self.encoder = Encoder(
            [
                Layer(
                    width,
                    config["intermediate_size"],
                    config["num_attention_heads"],
                    activation,
                    eps,
                )
                for _ in range(config["num_hidden_layers"])
            ]
        )
        self.final_layer_norm = LayerNorm(width, eps)
        self.end: int = config.get("eos_token_id", LEGACY_END)
        self.text_projection = (
            Linear(width, config["projection_dim"], bias=False) if projected else None
        )

    def forward(self, ids: Tensor) -> Tensor:
        """The last hidden state, normalised."""
        return self.final_layer_norm(self._states(ids)[0])

    def penultimate(self, ids: Tensor) -> Tensor:
        """What the last layer but one gives."""
        return self._states(ids)[1]

    def penultimate_and_pooled(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Also the projected state of the end token, (batch, projection_dim)."""
        assert self.text_projection is not None
        last, penultimate = self._states(ids)
        rows = torch.arange(ids.shape[0], device=ids.device)
        pooled = self.final_layer_norm(last)[rows, self._ends(ids)]
        return penultimate, self.text_projection(pooled)

    def _states(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Of the last layer and of the one before it."""
        x = before = self.embeddings(ids)
        for layer in self.encoder.layers:
            before, x = x, layer(x)
        return x, before

    def _ends(self, ids: Tensor) -> Tensor:
        """Where each prompt ends. Old configs name a wrong end; then the highest id is it."""
        if self.end == LEGACY_END:
            return ids.argmax(dim=-1)
        return (ids == self.end).int().argmax(dim=-1)
