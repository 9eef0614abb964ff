"""The autoencoder between pixels and latents (diffusers' AutoencoderKL)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sidecar.engine.diffusion.nets.blocks import Downsample, ResnetBlock, Upsample
from sidecar.engine.diffusion.nets.layers import Conv2d, GroupNorm, Linear

EPS = 1e-6


class PixelAttention(nn.Module):
    """One-headed self-attention over the pixels of the innermost feature map."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.group_norm = GroupNorm(groups, channels, EPS)
        self.to_q = Linear(channels, channels)
        self.to_k = Linear(channels, channels)
        self.to_v = Linear(channels, channels)
        self.to_out = nn.ModuleList([Linear(channels, channels), nn.Identity()])

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        tokens = self.group_norm(x.view(batch, channels, height * width)).transpose(1, 2)
        attended = functional.scaled_dot_product_attention(
            self.to_q(tokens).unsqueeze(1),
            self.to_k(tokens).unsqueeze(1),
            self.to_v(tokens).unsqueeze(1),
        ).squeeze(1)
        return self.to_out[0](attended).transpose(1, 2).reshape(x.shape) + x


class MidBlock(nn.Module):
    def __init__(self, channels: int, groups: int, attention: bool) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([PixelAttention(channels, groups)] if attention else [])
        self.resnets = nn.ModuleList(
            [ResnetBlock(channels, channels, groups, EPS, None) for _ in range(2)]
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.resnets[0](x)
        for attention in self.attentions:
            x = attention(x)
        return self.resnets[1](x)


class Stage(nn.Module):
    """Residual blocks at one size, then a change of size."""

    def __init__(
        self, channels: int, out: int, layers: int, groups: int, down: bool, up: bool
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(
            [
                ResnetBlock(channels if i == 0 else out, out, groups, EPS, None)
                for i in range(layers)
            ]
        )
        if down:
            self.downsamplers = nn.ModuleList([Downsample(out, padding=0)])
        if up:
            self.upsamplers = nn.ModuleList([Upsample(out)])
        self.resample = "downsamplers" if down else "upsamplers" if up else None

    def forward(self, x: Tensor) -> Tensor:
        for resnet in self.resnets:
            x = resnet(x)
        return x if self.resample is None else getattr(self, self.resample)[0](x)


class Encoder(nn.Module):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        widths, groups = config["block_out_channels"], config.get("norm_num_groups", 32)
        layers, last = config.get("layers_per_block", 1), len(widths) - 1
        self.conv_in = Conv2d(config.get("in_channels", 3), widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            [
                Stage(widths[max(i - 1, 0)], width, layers, groups, down=i < last, up=False)
                for i, width in enumerate(widths)
            ]
        )
        self.mid_block = MidBlock(widths[-1], groups, config.get("mid_block_add_attention", True))
        self.conv_norm_out = GroupNorm(groups, widths[-1], EPS)
        self.conv_out = Conv2d(widths[-1], 2 * config["latent_channels"], 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        x = self.mid_block(x)
        return self.conv_out(functional.silu(self.conv_norm_out(x), inplace=True))


class Decoder(nn.Module):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        widths = list(reversed(config["block_out_channels"]))
        groups = config.get("norm_num_groups", 32)
        layers, last = config.get("layers_per_block", 1) + 1, len(widths) - 1
        self.conv_in = Conv2d(config["latent_channels"], widths[0], 3, padding=1)
        self.mid_block = MidBlock(widths[0], groups, config.get("mid_block_add_attention", True))
        self.up_blocks = nn.ModuleList(
            [
                Stage(widths[max(i - 1, 0)], width, layers, groups, down=False, up=i < last)
                for i, width in enumerate(widths)
            ]
        )
        self.conv_norm_out = GroupNorm(groups, widths[-1], EPS)
        self.conv_out = Conv2d(widths[-1], config.get("out_channels", 3), 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid_block(self.conv_in(x))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(functional.silu(self.conv_norm_out(x), inplace=True))


class Vae(nn.Module):
    """Pixels are in -1..1, (batch, 3, height, width); latents are an eighth of the size."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        channels = config["latent_channels"]
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = (
            Conv2d(2 * channels, 2 * channels, 1) if config.get("use_quant_conv", True) else None
        )
        self.post_quant_conv = (
            Conv2d(channels, channels, 1) if config.get("use_post_quant_conv", True) else None
        )
        self.scaling_factor: float = config.get("scaling_factor", 0.18215)
        self.downscale = 2 ** (len(config["block_out_channels"]) - 1)
        self.latent_channels: int = channels

    def encode(self, pixels: Tensor, noise: Tensor) -> Tensor:
        """Scaled latents of `pixels`: a sample of the posterior, drawn with `noise`."""
        return self.sample(self.moments(pixels), noise)

    def moments(self, pixels: Tensor) -> Tensor:
        """The posterior: means, then logarithms of variances, (batch, 2 · channels, …)."""
        moments = self.encoder(pixels)
        return moments if self.quant_conv is None else self.quant_conv(moments)

    def sample(self, moments: Tensor, noise: Tensor) -> Tensor:
        """Scaled latents, drawn with `noise`; it may be of several pictures for one posterior."""
        mean, log_variance = moments.chunk(2, dim=1)
        spread = torch.exp(0.5 * torch.clamp(log_variance, -30.0, 20.0))
        return self.scaling_factor * (mean + spread * noise)

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels of scaled latents."""
        x = latents / self.scaling_factor
        if self.post_quant_conv is not None:
            x = self.post_quant_conv(x)
        return self.decoder(x)
