"""Pictures as latents: encoded once, kept in a file, found again when nothing has changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from sidecar.engine.train.base_model import BaseModel
from sidecar.engine.train.dataset import Item
from sidecar.engine.train.tensors import write_tensors
from sidecar.errors import DatasetInvalid

ENCODE_BATCH = 8

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Latents:
    """`mean` and `std` of each picture's latent, already scaled as the UNet sees it.

    Both (pictures, channels, height, width) in float32; `rows`: which picture is which row.
    """

    mean: Tensor
    std: Tensor
    rows: dict[Path, int]

    def take(self, items: Sequence[Item], generator: torch.Generator) -> Tensor:
        """One draw from each picture's latent distribution."""
        index = torch.tensor([self.rows[item.path] for item in items])
        mean = self.mean[index]
        return mean + self.std[index] * torch.randn(mean.shape, generator=generator)


def encode(base: BaseModel, items: Sequence[Item], side: int, cache: Path, say: Report) -> Latents:
    """Latents of all pictures at `side` pixels; `say(done, total)`. Raises DatasetInvalid."""
    paths = list(dict.fromkeys(item.path for item in items))
    rows = {path: row for row, path in enumerate(paths)}
    mark = _fingerprint(base, paths, side)
    kept = _kept(cache, mark)
    if kept is not None:
        return Latents(kept["mean"], kept["std"], rows)
    means: list[Tensor] = []
    stds: list[Tensor] = []
    for start in range(0, len(paths), ENCODE_BATCH):
        part = paths[start : start + ENCODE_BATCH]
        mean, std = _encode(base, torch.stack([read_picture(path, side) for path in part]))
        means.append(mean)
        stds.append(std)
        say(start + len(part), len(paths))
    latents = Latents(torch.cat(means), torch.cat(stds), rows)
    _keep(cache, mark, latents)
    return latents


@torch.no_grad()
def _encode(base: BaseModel, pixels: Tensor) -> tuple[Tensor, Tensor]:
    drawn = base.vae.encode(pixels.to(base.device)).latent_dist
    shift = float(base.vae.config.shift_factor or 0.0)
    scale = float(base.vae.config.scaling_factor)
    return ((drawn.mean - shift) * scale).cpu(), (drawn.std * scale).cpu()


def read_picture(path: Path, side: int) -> Tensor:
    """The picture's middle square, (3, side, side) in -1..1; see-through parts on white."""
    try:
        with Image.open(path) as opened:
            picture = opened.convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as exc:
        where = f"{path.parent.name}/{path.name}"
        raise DatasetInvalid(reason=f"{where} cannot be read as a picture") from exc
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    shorter = min(ground.size)
    left, top = (ground.width - shorter) // 2, (ground.height - shorter) // 2
    square = ground.convert("RGB").crop((left, top, left + shorter, top + shorter))
    if shorter != side:
        square = square.resize((side, side), Image.Resampling.LANCZOS)
    return torch.tensor(np.asarray(square)).permute(2, 0, 1).float() / 127.5 - 1


def _fingerprint(base: BaseModel, paths: Sequence[Path], side: int) -> str:
    """Changes with any picture, with the VAE's encoder and with the size."""
    digest = hashlib.sha256(f"{side} {base.vae.config.scaling_factor}".encode())
    state: dict[str, Tensor] = base.vae.state_dict()
    for name in sorted(n for n in state if n.startswith(("encoder.", "quant_conv."))):
        digest.update(state[name].cpu().numpy().tobytes())
    for path in paths:
        stat = path.stat()
        digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}".encode())
    return digest.hexdigest()


def _kept(cache: Path, mark: str) -> dict[str, Tensor] | None:
    if not cache.is_file():
        return None
    try:
        with cast(Any, safe_open)(cache, framework="pt") as file:
            metadata = cast("dict[str, str]", file.metadata() or {})
            if metadata.get("fingerprint") != mark:
                return None
            return {name: file.get_tensor(name) for name in ("mean", "std")}
    except SafetensorError:
        return None


def _keep(cache: Path, mark: str, latents: Latents) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    unfinished = cache.with_suffix(".tmp")
    write_tensors({"mean": latents.mean, "std": latents.std}, unfinished, {"fingerprint": mark})
    os.replace(unfinished, cache)
