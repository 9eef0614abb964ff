"""The denoising UNet of Stable Diffusion (diffusers' UNet2DConditionModel)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidecar.engine.diffusion.ldm_names import UNetNames
from sidecar.engine.diffusion.nets.blocks import (
    Attend,
    Attention,
    Downsample,
    ResnetBlock,
    Upsample,
)
from sidecar.engine.diffusion.nets.layers import Conv2d, GroupNorm, LayerNorm, Linear
from sidecar.engine.diffusion.nets.transformer import Memory, Transformer
from sidecar.engine.diffusion.nets.unet_config import UNetShape


@dataclass(frozen=True)
class Conditioning:
    """What does not change from step to step, or is known before the first one.

    `times`: for each residual block (steps, rows, channels, 1, 1). `memories`: for each
    transformer, keys and values of the prompt. Rows are those of the context, in its order.
    """

    times: list[Tensor]
    memories: list[list[list[Memory]]]


@dataclass(frozen=True)
class Added:
    """What SDXL is told besides the prompt's tokens.

    `pooled`: (rows, width), each prompt as one vector. `time_ids`: (rows, 6), the picture's height
    and width, the corner it was cropped at, and the height and width that are wanted, in pixels.
    """

    pooled: Tensor
    time_ids: Tensor


class TimestepEmbedding(nn.Module):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.linear_1 = Linear(channels, width)
        self.linear_2 = Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear_2(functional.silu(self.linear_1(x)))


class AttentionPooling(nn.Module):
    """A sentence as one vector (DeepFloyd IF)."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.empty(1, width))
        self.k_proj = Linear(width, width)
        self.q_proj = Linear(width, width)
        self.v_proj = Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, _, width = x.shape
        token = x.mean(dim=1, keepdim=True) + self.positional_embedding.to(x.dtype)
        x = torch.cat([token, x], dim=1)

        def heads(y: Tensor) -> Tensor:
            y = y.view(batch, -1, self.heads, width // self.heads).transpose(1, 2)
            return y.reshape(batch * self.heads, -1, width // self.heads).transpose(1, 2)

        query, key, value = heads(self.q_proj(token)), heads(self.k_proj(x)), heads(self.v_proj(x))
        scale = 1 / math.sqrt(math.sqrt(width // self.heads))
        weight = torch.einsum("bct,bcs->bts", query * scale, key * scale)
        weight = torch.softmax(weight.float(), dim=-1).type(weight.dtype)
        return torch.einsum("bts,bcs->bct", weight, value).reshape(batch, width)


class TextEmbedding(nn.Module):
    """The whole prompt, added to the time embedding (`addition_embed_type` "text")."""

    def __init__(self, width: int, out: int, heads: int) -> None:
        super().__init__()
        self.norm1 = LayerNorm(width)
        self.pool = AttentionPooling(heads, width)
        self.proj = Linear(width, out)
        self.norm2 = LayerNorm(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm2(self.proj(self.pool(self.norm1(x))))


@dataclass(frozen=True)
class Layer:
    """A residual block and the transformer after it, where there is one."""

    resnet: ResnetBlock
    transformer: Transformer | None


class Stage(nn.Module):
    """Layers at one size, then a change of size."""

    def __init__(
        self, layers: list[Layer], down: Downsample | None = None, up: Upsample | None = None
    ) -> None:
        super().__init__()
        transformers = [layer.transformer for layer in layers if layer.transformer is not None]
        if transformers:
            self.attentions = nn.ModuleList(transformers)
        self.resnets = nn.ModuleList([layer.resnet for layer in layers])
        if down is not None:
            self.downsamplers = nn.ModuleList([down])
        if up is not None:
            self.upsamplers = nn.ModuleList([up])
        # Once more as tuples, which torch does not register: typed, and in order.
        self.layers = tuple(layers)
        self.down, self.up = (down,), (up,)


class MidBlock(nn.Module):
    def __init__(self, first: ResnetBlock, transformer: Transformer, second: ResnetBlock) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([transformer])
        self.resnets = nn.ModuleList([first, second])
        self.layers = (Layer(first, transformer), Layer(second, None))


class _Steps:
    """Runs layers, handing each what `Conditioning` holds for it, in the order of the pass."""

    def __init__(self, conditioning: Conditioning, step: int) -> None:
        self._times = iter(conditioning.times)
        self._memories = iter(conditioning.memories)
        self._step = step

    def run(self, layer: Layer, x: Tensor) -> Tensor:
        x = layer.resnet(x, next(self._times)[self._step])
        return x if layer.transformer is None else layer.transformer(x, next(self._memories))


class UNet(nn.Module):
    """Predicts noise or velocity of latents (batch, channels, height, width)."""

    def __init__(self, config: Mapping[str, Any], attend: Attend) -> None:
        super().__init__()
        shape = UNetShape.of(config)
        self.shape = shape
        self.original_names = UNetNames(config)
        widths, time = shape.widths, 4 * shape.widths[0]
        build = _Builder(shape, time, attend)
        self.conv_in = Conv2d(shape.in_channels, widths[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(widths[0], time)
        self.add_embedding = _added_embedding(shape, time)
        downs, mid, ups = build.downs(), build.mid(), build.ups()
        self.down_blocks = nn.ModuleList(downs)
        self.mid_block = mid
        self.up_blocks = nn.ModuleList(ups)
        self.conv_norm_out = GroupNorm(shape.groups, widths[0], shape.eps)
        self.conv_out = Conv2d(widths[0], shape.out_channels, 3, padding=1)
        self.stages = (tuple(downs), (mid,), tuple(ups))

    def layers(self) -> list[Layer]:
        """In the order of the forward pass."""
        downs, mids, ups = self.stages
        return [layer for stage in (*downs, *mids, *ups) for layer in stage.layers]

    def fuse_projections(self) -> None:
        """One product for q, k and v of every self-attention; see `Attention.fuse`."""
        for module in self.modules():
            if isinstance(module, Attention) and module.is_self:
                module.fuse()

    def prepare(
        self, context: Tensor, timesteps: Tensor, added: Added | None = None
    ) -> Conditioning:
        """`context`: (rows, tokens, width) of the prompts; `timesteps`: (steps,)."""
        waves = sinusoids(timesteps, self.shape.widths[0], self.shape).to(context.dtype)
        time = self.time_embedding(waves)[:, None]
        addition = self._addition(context, added)
        time = time.expand(-1, len(context), -1) if addition is None else time + addition
        time = functional.silu(time)
        layers = self.layers()
        return Conditioning(
            times=[layer.resnet.time_embedding(time) for layer in layers],
            memories=[
                layer.transformer.memories(context)
                for layer in layers
                if layer.transformer is not None
            ],
        )

    def _addition(self, context: Tensor, added: Added | None) -> Tensor | None:
        """What is added to every time embedding, (rows, channels)."""
        if isinstance(self.add_embedding, TextEmbedding):
            return self.add_embedding(context)
        if self.add_embedding is None:
            return None
        assert added is not None
        waves = sinusoids(added.time_ids.flatten(), self.shape.time_id_width, self.shape)
        joined = torch.cat([added.pooled, waves.reshape(len(context), -1).to(context.dtype)], dim=1)
        return self.add_embedding(joined)

    def forward(self, x: Tensor, conditioning: Conditioning, step: int) -> Tensor:
        """The prediction at that step of the schedule that `conditioning` was prepared for."""
        steps = _Steps(conditioning, step)
        downs, (mid,), ups = self.stages
        x = self.conv_in(x)
        skips = [x]
        for stage in downs:
            x = _run_down(stage, x, steps, skips)
        for layer in mid.layers:
            x = steps.run(layer, x)
        for stage in ups:
            x = _run_up(stage, x, steps, skips)
        return self.conv_out(functional.silu(self.conv_norm_out(x), inplace=True))


def _added_embedding(shape: UNetShape, time: int) -> TextEmbedding | TimestepEmbedding | None:
    if shape.pooling_heads:
        return TextEmbedding(shape.context, time, shape.pooling_heads)
    return TimestepEmbedding(shape.added_width, time) if shape.added_width else None


def _run_down(stage: Stage, x: Tensor, steps: _Steps, skips: list[Tensor]) -> Tensor:
    for layer in stage.layers:
        x = steps.run(layer, x)
        skips.append(x)
    (down,) = stage.down
    if down is not None:
        x = down(x)
        skips.append(x)
    return x


def _run_up(stage: Stage, x: Tensor, steps: _Steps, skips: list[Tensor]) -> Tensor:
    for layer in stage.layers:
        x = steps.run(layer, torch.cat([x, skips.pop()], dim=1))
    (up,) = stage.up
    if up is None:
        return x
    # An odd size was rounded up on the way down; the skip connection knows what it was.
    height, width = skips[-1].shape[-2:]
    doubled = (height, width) == (2 * x.shape[-2], 2 * x.shape[-1])
    return up(x, None if doubled else (height, width))


class _Builder:
    """Makes the stages of a UNet of that shape."""

    def __init__(self, shape: UNetShape, time: int, attend: Attend) -> None:
        self._shape, self._time, self._attend = shape, time, attend

    def downs(self) -> list[Stage]:
        shape, last = self._shape, len(self._shape.widths) - 1
        stages: list[Stage] = []
        for i, width in enumerate(shape.widths):
            inputs = [shape.widths[max(i - 1, 0)]] + [width] * (shape.layers[i] - 1)
            layers = [self._layer(n, width, i, shape.down_attention[i]) for n in inputs]
            down = Downsample(width, shape.downsample_padding) if i < last else None
            stages.append(Stage(layers, down=down))
        return stages

    def mid(self) -> MidBlock:
        width, last = self._shape.widths[-1], len(self._shape.widths) - 1
        return MidBlock(
            self._resnet(width, width), self._transformer(last), self._resnet(width, width)
        )

    def ups(self) -> list[Stage]:
        shape, last = self._shape, len(self._shape.widths) - 1
        stages: list[Stage] = []
        for place, i in enumerate(range(last, -1, -1)):
            width, outer = shape.widths[i], shape.widths[max(i - 1, 0)]
            below = shape.widths[min(i + 1, last)]
            count = shape.layers[i] + 1
            inputs = [
                (below if n == 0 else width) + (outer if n == count - 1 else width)
                for n in range(count)
            ]
            layers = [self._layer(n, width, i, shape.up_attention[place]) for n in inputs]
            stages.append(Stage(layers, up=Upsample(width) if i > 0 else None))
        return stages

    def _layer(self, channels: int, width: int, stage: int, attention: bool) -> Layer:
        transformer = self._transformer(stage) if attention else None
        return Layer(self._resnet(channels, width), transformer)

    def _resnet(self, channels: int, width: int) -> ResnetBlock:
        return ResnetBlock(channels, width, self._shape.groups, self._shape.eps, self._time)

    def _transformer(self, stage: int) -> Transformer:
        shape = self._shape
        return Transformer(
            shape.widths[stage],
            shape.context,
            shape.heads[stage],
            shape.depths[stage],
            shape.groups,
            shape.linear,
            self._attend,
            shape.cross_only[stage],
        )


def sinusoids(values: Tensor, channels: int, shape: UNetShape) -> Tensor:
    """Sinusoidal embeddings (Vaswani et al. 2017), (values, channels), float32."""
    half = channels // 2
    exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32, device=values.device)
    angles = values[:, None].float() * torch.exp(exponent / (half - shape.freq_shift))[None]
    waves = (angles.cos(), angles.sin()) if shape.flip else (angles.sin(), angles.cos())
    return torch.cat(waves, dim=-1)
