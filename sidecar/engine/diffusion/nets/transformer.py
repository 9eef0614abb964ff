"""Transformer blocks within the UNet (diffusers' Transformer2DModel)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from sidecar.engine.diffusion.nets.blocks import Attend, Attention
from sidecar.engine.diffusion.nets.layers import Conv2d, GroupNorm, LayerNorm, Linear

Memory = tuple[Tensor, Tensor]


class GatedProjection(nn.Module):
    """GEGLU (Shazeer 2020)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.proj = Linear(channels, hidden * 2)

    def forward(self, x: Tensor) -> Tensor:
        hidden, gate = self.proj(x).chunk(2, dim=-1)
        return hidden * functional.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels * 4
        self.net = nn.ModuleList(
            [GatedProjection(channels, hidden), nn.Identity(), Linear(hidden, channels)]
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net[2](self.net[0](x))


class TransformerBlock(nn.Module):
    """Self-attention, cross-attention, feed-forward, each normalised first and added."""

    def __init__(
        self, channels: int, context: int, heads: int, attend: Attend, cross_only: bool
    ) -> None:
        super().__init__()
        self.cross_only = cross_only
        self.norm1 = LayerNorm(channels)
        self.attn1 = Attention(channels, context if cross_only else channels, heads, attend)
        self.norm2 = LayerNorm(channels)
        self.attn2 = Attention(channels, context, heads, attend)
        self.norm3 = LayerNorm(channels)
        self.ff = FeedForward(channels)

    def memories(self, context: Tensor) -> list[Memory]:
        """Keys and values of the prompt for each attention that looks at it."""
        first = [self.attn1.keys_and_values(context)] if self.cross_only else []
        return [*first, self.attn2.keys_and_values(context)]

    def forward(self, x: Tensor, memories: list[Memory]) -> Tensor:
        first = memories[0] if self.cross_only else None
        x = self.attn1(self.norm1(x), first) + x
        x = self.attn2(self.norm2(x), memories[-1]) + x
        return self.ff(self.norm3(x)) + x


class Transformer(nn.Module):
    """Transformer blocks over the pixels of a feature map."""

    def __init__(
        self,
        channels: int,
        context: int,
        heads: int,
        depth: int,
        groups: int,
        linear: bool,
        attend: Attend,
        cross_only: bool = False,
    ) -> None:
        super().__init__()
        self.linear = linear
        self.norm = GroupNorm(groups, channels, 1e-6)
        self.proj_in = _projection(channels, linear)
        self.transformer_blocks = nn.ModuleList(
            [TransformerBlock(channels, context, heads, attend, cross_only) for _ in range(depth)]
        )
        self.proj_out = _projection(channels, linear)

    def memories(self, context: Tensor) -> list[list[Memory]]:
        return [block.memories(context) for block in self.blocks()]

    def blocks(self) -> list[TransformerBlock]:
        return [block for block in self.transformer_blocks if isinstance(block, TransformerBlock)]

    def forward(self, x: Tensor, memories: list[list[Memory]]) -> Tensor:
        """`x`: (batch, channels, height, width)."""
        batch, channels, height, width = x.shape
        hidden = self.norm(x)
        if not self.linear:
            hidden = self.proj_in(hidden)
        hidden = hidden.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        if self.linear:
            hidden = self.proj_in(hidden)
        for block, memory in zip(self.transformer_blocks, memories, strict=True):
            hidden = block(hidden, memory)
        if self.linear:
            hidden = self.proj_out(hidden)
        hidden = hidden.reshape(batch, height, width, channels).permute(0, 3, 1, 2).contiguous()
        if not self.linear:
            hidden = self.proj_out(hidden)
        return hidden + x


def _projection(channels: int, linear: bool) -> nn.Module:
    return Linear(channels, channels) if linear else Conv2d(channels, channels, 1)
