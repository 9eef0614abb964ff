"""Torch's layers without the random start: their weights come from a file right away.

`Linear` and `Conv2d` compute in the type of their input, whatever type their weight is stored in:
weights stored in half precision are widened one layer at a time, just for as long as it computes.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Linear(nn.Linear):
    def reset_parameters(self) -> None:
        """Left as it is."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(input, widened(self.weight, input), self.bias)


class Conv2d(nn.Conv2d):
    def reset_parameters(self) -> None:
        """Left as it is."""

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, widened(self.weight, input), self.bias)


class GroupNorm(nn.GroupNorm):
    def reset_parameters(self) -> None:
        """Left as it is."""


class LayerNorm(nn.LayerNorm):
    def reset_parameters(self) -> None:
        """Left as it is."""


class Embedding(nn.Embedding):
    def reset_parameters(self) -> None:
        """Left as it is."""


def widened(weight: Tensor, like: Tensor) -> Tensor:
    """`weight` in the type of `like`; itself where it has that already."""
    return weight if weight.dtype == like.dtype else weight.to(like.dtype)
