"""Stage `decoder`: the VAE's decoder alone, on frozen noisy latents, for crisp pictures.

The UNet's latents are never exact, so the decoder learns from latents with noise on them. Towards
the end a small patch discriminator (hinge loss) sharpens the edges.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from starter.art import JITTERED, STYLES, Art
from starter.colour import COLOURS
from starter.latents import Latents, signal_to_noise
from starter.subjects import SUBJECTS
from starter.training import Draws, RunLog, Stage, Trainer, cosine, launch
from starter.vae import edge_error, to_tensor

PEAK_RATE = 1e-3
WARM_PEAK_RATE = 4e-4
CELLS = 7
"""Crop size in latent cells."""
BORDER = 4
"""Pixels at the crop's rim that the loss leaves out, except where the picture itself ends."""
CRITIC_FROM = 0.60
NOISE = 0.16
SHARES: dict[str, float] = {"flat": 0.40, "jitter": 0.15, "colour": 0.17, "style": 0.28}


def new_critic() -> torch.nn.Sequential:
    """A patch discriminator with a receptive field of 18 pixels."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 24, 4, 2, 1),
        torch.nn.LeakyReLU(0.2),
        torch.nn.Conv2d(24, 48, 4, 2, 1),
        torch.nn.GroupNorm(8, 48),
        torch.nn.LeakyReLU(0.2),
        torch.nn.Conv2d(48, 1, 3, 1, 1),
    )


def probabilities(keys: list[str]) -> np.ndarray:
    """The chance of each picture, after `SHARES`."""
    groups = dict.fromkeys(JITTERED, "jitter") | dict.fromkeys(COLOURS, "colour")
    groups |= dict.fromkeys(STYLES, "style")
    kinds = [groups.get(key.split("|")[1], "flat") for key in keys]
    weights = np.array([SHARES[kind] / kinds.count(kind) for kind in kinds])
    return weights / weights.sum()


def rim_mask(place: tuple[int, int]) -> torch.Tensor:
    """1 where the loss counts: not at the crop's rim, but at the picture's own edges. (1, H, W)"""
    size, last = 8 * CELLS, 16 - CELLS
    mask = torch.ones(1, size, size)
    for axis, start in zip((1, 2), place, strict=True):
        if start > 0:
            mask.narrow(axis, 0, BORDER).zero_()
        if start < last:
            mask.narrow(axis, size - BORDER, BORDER).zero_()
    return mask


def train(stage: Stage, rank: int) -> None:
    """The decoder stage (one process); writes `work/decoder/vae`."""
    torch.manual_seed(stage.seed)
    art, latents = Art(stage.work), Latents(stage.work)
    chances = probabilities(latents.keys)
    pictures = np.stack([art[key] for key in latents.keys])
    vae = AutoencoderKL.from_pretrained(stage.work / "latents" / "vae")
    vae.requires_grad_(False)
    vae.decoder.requires_grad_(True)
    vae.post_quant_conv.requires_grad_(True)
    vae.to(memory_format=torch.channels_last)
    critic = new_critic().to(memory_format=torch.channels_last)
    critic_optimizer = torch.optim.AdamW(
        critic.parameters(), lr=8e-4, betas=(0.5, 0.95), foreach=True
    )
    peak = WARM_PEAK_RATE if (stage.work / "start").exists() else PEAK_RATE
    last: dict[str, torch.Tensor] = {}

    def crop(index: int, rng: np.random.Generator) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
        """The liveliest of three crops: pixels, latent cells, loss mask."""
        best, place = None, (0, 0)
        for _ in range(3):
            y, x = (int(v) for v in rng.integers(0, 16 - CELLS + 1, 2))
            part = pictures[index][8 * y : 8 * (y + CELLS), 8 * x : 8 * (x + CELLS)]
            if best is None or part[::4, ::4].std() > best[::4, ::4].std():
                best, place = part, (y, x)
        y, x = place
        assert best is not None
        cells = latents.values[index][:, y : y + CELLS, x : x + CELLS]
        return best, cells, rim_mask(place)

    def loss(draws: Draws, fraction: float) -> tuple[torch.Tensor, dict[str, float]]:
        chosen = draws.numpy.choice(len(chances), stage.batch, p=chances)
        crops = [crop(int(i), draws.numpy) for i in chosen]
        z = torch.stack([cells for _, cells, _ in crops])
        z = z + torch.rand(len(z), 1, 1, 1) * NOISE * torch.randn_like(z)
        mask = torch.stack([part for _, _, part in crops])
        x = to_tensor(np.stack([part for part, _, _ in crops])) * mask
        y = vae.decode(z.contiguous(memory_format=torch.channels_last)).sample * mask
        l1, mse, edges = (y - x).abs().mean(), (y - x).square().mean(), edge_error(y, x)
        total = l1 + 0.7 * mse + 0.7 * edges
        x = x[:, :, BORDER:-BORDER, BORDER:-BORDER]
        y = y[:, :, BORDER:-BORDER, BORDER:-BORDER]
        if fraction > CRITIC_FROM + 0.04:
            critic.requires_grad_(False)
            total = total - 0.025 * critic(y).mean()
            critic.requires_grad_(True)
        last.update(real=x, made=y.detach())
        return total, {"l1": l1.item(), "mse": mse.item(), "edges": edges.item()}

    def teach_critic(_: Draws, fraction: float) -> dict[str, float]:
        if fraction < CRITIC_FROM:
            return {}
        gap = F.relu(1 - critic(last["real"])).mean() + F.relu(1 + critic(last["made"])).mean()
        critic_optimizer.zero_grad(set_to_none=True)
        gap.backward()
        critic_optimizer.step()
        return {"critic": gap.item()}

    parameters = [p for p in vae.parameters() if p.requires_grad]
    trainer = Trainer(
        stage,
        rank,
        {"vae": vae},
        torch.optim.AdamW(parameters, lr=peak, betas=(0.9, 0.99), weight_decay=0, foreach=True),
        loss,
        rate=lambda fraction: cosine(fraction, end=0.02),
        export=lambda: vae.save_pretrained(stage.folder / "vae"),
        ema_decay=0.997,
        after_step=teach_critic,
        also_saved={"critic": critic, "critic optimizer": critic_optimizer},
    )
    trainer.run()


def measure(stage: Stage) -> None:
    """Log the PSNR of all subjects with the finished decoder."""
    art, latents = Art(stage.work), Latents(stage.work)
    vae = AutoencoderKL.from_pretrained(stage.folder / "vae").eval()
    result = {}
    for variant in ("flat", "green", *STYLES):
        keys = [f"{s}|{variant}" for s in SUBJECTS if f"{s}|{variant}" in latents]
        wanted = np.stack([art[key] for key in keys])
        made = torch.stack([latents[key] for key in keys])
        result[variant] = round(signal_to_noise(vae, made, wanted), 2)
    print("decoder: PSNR", result, flush=True)
    RunLog(stage.work).write("decoder", {"psnr": result})


def run(stage: Stage) -> None:
    """Train the decoder, or do nothing if it is finished."""
    if not stage.finished:
        launch(train, stage)
        measure(stage)
