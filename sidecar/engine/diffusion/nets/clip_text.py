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
    """Token ids (batch, tokens) to the last hidden state (batch, tokens, width)."""

    def __init__(self, config: Mapping[str, Any]) -> None:
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

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embeddings(ids)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.final_layer_norm(x)
