"""Building blocks that UNet and VAE share: residual block, attention, resampling."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidecar.engine.diffusion.nets.layers import Conv2d, GroupNorm, Linear, widened

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


class ResnetBlock(nn.Module):
    """GroupNorm, SiLU, 3×3 convolution, twice, with a shortcut (diffusers' ResnetBlock2D)."""

    def __init__(
        self, channels: int, out_channels: int, groups: int, eps: float, time_channels: int | None
    ) -> None:
        super().__init__()
        self.norm1 = GroupNorm(groups, channels, eps)
        self.conv1 = Conv2d(channels, out_channels, 3, padding=1)
        self.time_emb_proj = None if time_channels is None else Linear(time_channels, out_channels)
        self.norm2 = GroupNorm(groups, out_channels, eps)
        self.conv2 = Conv2d(out_channels, out_channels, 3, padding=1)
        self.conv_shortcut = None if channels == out_channels else Conv2d(channels, out_channels, 1)

    def time_embedding(self, time: Tensor) -> Tensor:
        """Of activated embeddings (steps, rows, channels): (steps, rows, out_channels, 1, 1)."""
        assert self.time_emb_proj is not None
        return self.time_emb_proj(time)[..., None, None]

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """`x`: (batch, channels, height, width); `time`: (batch, out_channels, 1, 1)."""
        hidden = self.conv1(functional.silu(self.norm1(x), inplace=True))
        if time is not None:
            hidden += time
        hidden = self.conv2(functional.silu(self.norm2(hidden), inplace=True))
        hidden += x if self.conv_shortcut is None else self.conv_shortcut(x)
        return hidden


class Downsample(nn.Module):
    """3×3 convolution of stride 2. `padding` 0 pads right and below only, as the VAE does."""

    def __init__(self, channels: int, padding: int) -> None:
        super().__init__()
        self.conv = Conv2d(channels, channels, 3, stride=2, padding=padding)
        self.asymmetric = padding == 0

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.pad(x, (0, 1, 0, 1)) if self.asymmetric else x)


class Upsample(nn.Module):
    """Nearest neighbour to twice the size (or `size`), then a 3×3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        if size is None:
            return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.conv(functional.interpolate(x, size=size, mode="nearest"))


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(batch, tokens, channels) as (batch, heads, tokens, channels/heads)."""
    batch, tokens, channels = x.shape
    return x.view(batch, tokens, heads, channels // heads).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """The inverse of `split_heads`."""
    batch, heads, tokens, width = x.shape
    return x.transpose(1, 2).reshape(batch, tokens, heads * width)


class Attention(nn.Module):
    """Self- or cross-attention without bias on queries, keys and values."""

    def __init__(self, channels: int, context: int, heads: int, attend: Attend) -> None:
        super().__init__()
        self.heads = heads
        self.attend = attend
        self.is_self = channels == context
        self.to_q = Linear(channels, channels, bias=False)
        self.to_k = Linear(context, channels, bias=False)
        self.to_v = Linear(context, channels, bias=False)
        self.to_out = nn.ModuleList([Linear(channels, channels), nn.Identity()])
        self.fused: Tensor | None = None

    def fuse(self) -> None:
        """Lay q, k and v side by side in one tensor, so that one product computes all three.

        The three weights become views of it, so a merge into them is seen at once.
        """
        parts = (self.to_q, self.to_k, self.to_v)
        self.fused = torch.cat([part.weight.data for part in parts])
        for part, view in zip(parts, self.fused.chunk(3), strict=True):
            part.weight.data = view

    def keys_and_values(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Of a prompt, computed once for all steps."""
        return (
            split_heads(self.to_k(context), self.heads),
            split_heads(self.to_v(context), self.heads),
        )

    def forward(self, x: Tensor, memory: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """`x`: (batch, tokens, channels). `memory`: keys and values; None attends to `x`."""
        if memory is not None:
            query, (key, value) = split_heads(self.to_q(x), self.heads), memory
        elif self.fused is not None:
            query, key, value = (
                split_heads(part, self.heads)
                for part in functional.linear(x, widened(self.fused, x)).chunk(3, dim=-1)
            )
        else:
            query, (key, value) = split_heads(self.to_q(x), self.heads), self.keys_and_values(x)
        return self.to_out[0](join_heads(self.attend(query, key, value)))
