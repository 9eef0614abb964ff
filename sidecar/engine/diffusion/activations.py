"""How many bytes the networks have in tensors at once while they compute, at any size.

The functions follow the forward passes of `nets` line by line and count what is alive at each: the
input that a caller still holds, skip connections, what a layer makes. Attention is counted as fused
kernels do it, without a matrix of scores. What kernels take for themselves beyond the copies named
in `_kernel` is left to `sidecar.engine.memory.calibration`.

"Above" means: beside the input, which the caller counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from torch import nn

from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.low_vram import HALF_STORAGE, TILE, VAE_TILING
from sidecar.engine.diffusion.nets.blocks import Downsample, ResnetBlock, Upsample
from sidecar.engine.diffusion.nets.transformer import Transformer
from sidecar.engine.diffusion.nets.unet import Layer, UNet
from sidecar.engine.diffusion.nets.vae import MidBlock, Stage

M = TypeVar("M", bound=nn.Module)

LATENT_COPIES = 8
"""Latents that a sampler and the previews have at once, about."""
PIXEL_BYTES = 3 * (4 + 4 + 4 + 1)
"""Of a finished pixel on its way into a file."""


@dataclass(frozen=True)
class Sizes:
    """Of what is drawn together. Sizes are pixels."""

    width: int
    height: int
    pictures: int
    guided: bool
    steps: int


@dataclass(frozen=True)
class _Plane:
    """A feature map: rows × height × width numbers of `item` bytes for each channel.

    `plain`: channels first; oneDNN copies such maps into a layout of its own. `widened`: weights
    are stored in half precision, and each is widened while it is used.
    """

    rows: int
    height: int
    width: int
    item: int
    plain: bool
    widened: bool

    def of(self, channels: int) -> int:
        return self.rows * self.height * self.width * channels * self.item

    def halved(self) -> _Plane:
        return replace(self, height=-(-self.height // 2), width=-(-self.width // 2))

    def doubled(self) -> _Plane:
        return replace(self, height=2 * self.height, width=2 * self.width)


def denoising(networks: Components, sizes: Sizes, low_vram: Iterable[str]) -> int:
    """From prompts to latents: the UNet's largest moment."""
    unet, scale = networks.unet, networks.vae.downscale
    plane = _Plane(
        rows=sizes.pictures * (2 if sizes.guided else 1),
        height=-(-sizes.height // scale),
        width=-(-sizes.width // scale),
        item=networks.dtype.itemsize,
        plain=True,
        widened=HALF_STORAGE in low_vram,
    )
    latents = LATENT_COPIES * replace(plane, item=4).of(networks.vae.latent_channels)
    tokens = networks.tokenizer.length
    return latents + _conditioning(unet, plane, sizes.steps, tokens) + _unet(unet, plane)


def decoding(networks: Components, sizes: Sizes, low_vram: Iterable[str]) -> int:
    """From latents to a file; pictures are decoded one by one, in tiles where that is on."""
    scale, taken = networks.vae.downscale, tuple(low_vram)
    height, width = sizes.height // scale, sizes.width // scale
    accumulated = 0
    if VAE_TILING in taken and max(height, width) > TILE:
        accumulated = 4 * sizes.width * sizes.height * 4  # pixels and their weights
        accumulated += 3 * 4 * (TILE * scale) ** 2 * 3  # a tile, faded
        height, width = min(height, TILE), min(width, TILE)
    plane = _vae_plane(networks, 1, height, width, HALF_STORAGE in taken)
    finished = PIXEL_BYTES * sizes.width * sizes.height
    return max(_decoder(networks, plane) + accumulated, finished)


def encoding(networks: Components, sizes: Sizes, low_vram: Iterable[str]) -> int:
    """From initial pictures to latents; in tiles likewise."""
    taken, scale = tuple(low_vram), networks.vae.downscale
    whole = _vae_plane(networks, sizes.pictures, sizes.height, sizes.width, HALF_STORAGE in taken)
    held, plane = whole.of(3), whole
    if VAE_TILING in taken and max(sizes.height, sizes.width) > TILE * scale:
        height, width = (min(side, TILE * scale) for side in (sizes.height, sizes.width))
        plane = replace(whole, height=height, width=width)
        held += plane.of(3)  # oneDNN wants the tile in one piece
    return held + _encoder(networks, plane)


# --------------------------------------------------------------------------- parts


def _resnet(block: ResnetBlock, plane: _Plane) -> int:
    """Above its input, its output included."""
    given, made = plane.of(block.conv1.in_channels), plane.of(block.conv1.out_channels)
    first = given + made + _kernel(plane, block.conv1)
    second = 3 * made + _kernel(plane, block.conv2)
    if block.conv_shortcut is None:
        return max(first, second)
    return max(first, second, 2 * made + _kernel(plane, block.conv_shortcut))


def _transformer(transformer: Transformer, plane: _Plane) -> int:
    """Above its input. Of the feed-forward part: gate and hidden, activated gate, product."""
    channels = transformer.norm.num_channels
    own = plane.of(channels)
    feed_forward = own * (1 + 1 + 8 + 4 + 4)
    attention = own * (1 + 1 + 3 + 1 + 1)
    (way_in,) = _modules([transformer.proj_in], nn.Conv2d) or (None,)
    projection = 2 * own + (0 if way_in is None else _kernel(plane, way_in))
    widest = max(layer.weight.numel() for layer in _modules(transformer.modules(), nn.Linear))
    widened = widest * plane.item if plane.widened else 0
    return max(feed_forward + widened, attention + 3 * widened // 8, projection)


def _layer(layer: Layer, plane: _Plane) -> int:
    above = _resnet(layer.resnet, plane)
    if layer.transformer is None:
        return above
    made = plane.of(layer.resnet.conv1.out_channels)
    return max(above, made + _transformer(layer.transformer, plane))


def _unet(unet: UNet, plane: _Plane) -> int:
    downs, (mid,), ups = unet.stages
    walk = _Walk(plane, unet.conv_in)
    for stage in downs:
        walk.down(stage.layers, stage.down[0])
    walk.middle(mid.layers)
    for stage in ups:
        walk.up(stage.layers, stage.up[0])
    return max(walk.peak, 2 * walk.x + _kernel(walk.plane, unet.conv_out))


class _Walk:
    """Goes through a UNet. `x`: bytes of what goes on; `_skips`: of what is kept for the way up."""

    def __init__(self, plane: _Plane, first: nn.Conv2d) -> None:
        self.plane, self._planes = plane, [plane]
        self.x: int = plane.of(first.out_channels)
        self._skips: list[int] = [self.x]
        self.peak = 0
        self._see(_kernel(plane, first))

    def down(self, layers: Iterable[Layer], down: Downsample | None) -> None:
        """What goes on is the last skip connection, and not counted twice."""
        for layer in layers:
            self._see(_layer(layer, self.plane))
            self._skips.append(self.plane.of(layer.resnet.conv1.out_channels))
        if down is not None:
            self.plane = self.plane.halved()
            self._planes.append(self.plane)
            self._skips.append(self.plane.of(down.conv.out_channels))
            self._see(_kernel(self.plane, down.conv))
        self.x = self._skips[-1]

    def middle(self, layers: Iterable[Layer]) -> None:
        for layer in layers:
            self._see(self.x + _layer(layer, self.plane))

    def up(self, layers: Iterable[Layer], up: Upsample | None) -> None:
        for layer in layers:
            joined = self.plane.of(layer.resnet.conv1.in_channels)
            self._see(self.x + joined)
            self._skips.pop()
            self._see(self.x + joined + _resnet(layer.resnet, self.plane))
            made = self.plane.of(layer.resnet.conv1.out_channels)
            if layer.transformer is not None:
                self._see(self.x + made + _transformer(layer.transformer, self.plane))
            self.x = made
        if up is not None:
            self._planes.pop()
            above, self.plane = _upsample(up, self.plane, self._planes[-1])
            self._see(self.x + above)
            self.x = self.plane.of(up.conv.out_channels)

    def _see(self, live: int) -> None:
        self.peak = max(self.peak, sum(self._skips) + live)


def _conditioning(unet: UNet, plane: _Plane, steps: int, tokens: int) -> int:
    """Time embeddings of each block and step; keys and values of the prompt."""
    times = keys = 0
    for layer in unet.layers():
        times += layer.resnet.conv1.out_channels
        if layer.transformer is not None:
            keys += len(layer.transformer.blocks()) * layer.transformer.norm.num_channels
    return plane.rows * plane.item * (steps * times + 2 * tokens * keys)


def _decoder(networks: Components, plane: _Plane) -> int:
    decoder = networks.vae.decoder
    x = decoder.conv_in.out_channels
    peak = plane.of(x) + _mid(decoder.mid_block, plane)
    for stage in _modules(decoder.up_blocks, Stage):
        above, plane, x = _stage(stage, plane, x)
        peak = max(peak, above)
    last = 2 * plane.of(x) + plane.of(decoder.conv_out.out_channels)
    return max(peak, last + _kernel(plane, decoder.conv_out))


def _encoder(networks: Components, plane: _Plane) -> int:
    """Above its input."""
    encoder = networks.vae.encoder
    x = encoder.conv_in.out_channels
    peak = plane.of(x) + _kernel(plane, encoder.conv_in)
    for stage in _modules(encoder.down_blocks, Stage):
        above, plane, x = _stage(stage, plane, x)
        peak = max(peak, above)
    return max(peak, plane.of(x) + _mid(encoder.mid_block, plane))


def _stage(stage: Stage, plane: _Plane, channels: int) -> tuple[int, _Plane, int]:
    """The peak with its input, which the caller holds to the end; the plane and channels after."""
    given = plane.of(channels)
    peak, x = given, 0  # the first block reads what the caller holds
    for resnet in _modules(stage.resnets, ResnetBlock):
        peak = max(peak, given + x + _resnet(resnet, plane))
        channels = resnet.conv1.out_channels
        x = plane.of(channels)
    if stage.resample == "upsamplers":
        (up,) = _modules(stage.upsamplers, Upsample)
        above, plane = _upsample(up, plane, plane.doubled())
        peak = max(peak, given + x + above)
    elif stage.resample == "downsamplers":
        (down,) = _modules(stage.downsamplers, Downsample)
        padded, plane = plane.of(channels), plane.halved()
        peak = max(peak, given + x + padded + plane.of(channels) + _kernel(plane, down.conv))
    return peak, plane, channels


def _mid(mid: MidBlock, plane: _Plane) -> int:
    """Above its input."""
    first, second = _modules(mid.resnets, ResnetBlock)
    own = plane.of(first.conv1.out_channels)
    attention = 8 * own if len(mid.attentions) else 0
    return max(_resnet(first, plane), own + _resnet(second, plane), attention)


def _upsample(up: Upsample, plane: _Plane, larger: _Plane) -> tuple[int, _Plane]:
    """Above its input; the plane after it."""
    widened, made = larger.of(up.conv.in_channels), larger.of(up.conv.out_channels)
    return widened + made + _kernel(larger, up.conv), larger


def _kernel(plane: _Plane, conv: nn.Conv2d) -> int:
    """oneDNN's copies: the weight in a layout of its own, and plain maps likewise."""
    weight = conv.weight.numel() * plane.item * (2 if plane.widened else 1)
    maps = plane.of(conv.in_channels) + plane.of(conv.out_channels) if plane.plain else 0
    return weight + maps


def _vae_plane(networks: Components, rows: int, height: int, width: int, widened: bool) -> _Plane:
    return _Plane(rows, height, width, networks.vae_dtype.itemsize, plain=False, widened=widened)


def _modules(modules: Iterable[nn.Module], kind: type[M]) -> list[M]:
    return [module for module in modules if isinstance(module, kind)]
