"""Torch's layers without the random start: their weights come from a file right away."""

from __future__ import annotations

from torch import nn


class Linear(nn.Linear):
    def reset_parameters(self) -> None:
        """Left as it is."""


class Conv2d(nn.Conv2d):
    def reset_parameters(self) -> None:
        """Left as it is."""


class GroupNorm(nn.GroupNorm):
    def reset_parameters(self) -> None:
        """Left as it is."""


class LayerNorm(nn.LayerNorm):
    def reset_parameters(self) -> None:
        """Left as it is."""


class Embedding(nn.Embedding):
    def reset_parameters(self) -> None:
        """Left as it is."""
