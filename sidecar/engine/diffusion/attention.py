"""Scaled dot-product attention by the fastest means this machine has.

`Attention is All You Need` (Vaswani et al. 2017); memory-efficient kernels from xformers on CUDA
where that package is installed, else torch's own.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

SDPA, XFORMERS = "sdpa", "xformers"


class AttentionBackend:
    """Which kernel computes attention, and in how many slices (to save memory)."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self.name = SDPA
        self.slice_size: int | None = None
        self._xformers: Any = None
        half = device.type == "cuda" and dtype != torch.float32
        if half and importlib.util.find_spec("xformers") is not None:
            self._xformers = importlib.import_module("xformers.ops")
            self.name = XFORMERS

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """All of shape (batch, heads, tokens, head_dim); returns (batch, heads, queries, dim)."""
        if self.slice_size is None or query.shape[0] <= self.slice_size:
            return self._attend(query, key, value)
        rows = [
            slice(start, start + self.slice_size)
            for start in range(0, query.shape[0], self.slice_size)
        ]
        return torch.cat([self._attend(query[r], key[r], value[r]) for r in rows])

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        if self._xformers is None:
            return functional.scaled_dot_product_attention(query, key, value)
        out = self._xformers.memory_efficient_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
        )
        return out.transpose(1, 2)
