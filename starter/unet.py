"""Stage `unet`: text encoder and UNet, trained together on the cached latents.

v-prediction with zero terminal SNR (Lin et al. 2023, arXiv 2305.08891), so that the background can
become truly white. The schedule counts samples.
"""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from starter.art import JITTERED, Art
from starter.colour import COLOURS, colour_word
from starter.latents import Latents
from starter.subjects import SUBJECTS, caption
from starter.tokenizer import MAX_LENGTH, load_tokenizer
from starter.training import Draws, Stage, Trainer, cosine, launch
from starter.vae import LATENT_CHANNELS

PEAK_RATE = 1.2e-3
HOLD = 0.38
TEXT_WIDTH = 128
EMPTY_CAPTIONS = 0.1
PLAIN = 0.4
"""Up to this part of the schedule nearly all pictures are the plain centred ones: which word means
which drawing is learnt many times faster when every word has one drawing."""
JITTER_SHARE = (0.0, 0.13)
COLOUR_SHARE = (0.04, 0.18)
NOISE_LEAN = (0.60, 0.70)
"""Exponent of the timestep draw: smaller leans to the noisy side, where the shape is decided."""
OWN_COLOUR_NAMED = 0.25
"""How often a picture in its own colours has them in the caption, where a word for them exists."""

NOISE_SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
}


def new_unet() -> UNet2DConditionModel:
    """The denoiser: no attention at 16x16, text attention at 8x8 and 4x4."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(48, 96, 160),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
        use_linear_projection=True,
        addition_embed_type="text",
        addition_embed_type_num_heads=8,
    )


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            hidden_size=TEXT_WIDTH,
            intermediate_size=3 * TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=MAX_LENGTH,
            projection_dim=TEXT_WIDTH,
            vocab_size=len(tokenizer),
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


@lru_cache(maxsize=4)
def order_of_epoch(seed: int, epoch: int) -> list[str]:
    rng = np.random.default_rng((seed, epoch))
    return [SUBJECTS[i] for i in rng.permutation(len(SUBJECTS))]


def subject_at(seed: int, sample: int) -> str:
    """The subject of a sample: every subject once in an epoch, in an order from the seed."""
    epoch, place = divmod(sample, len(SUBJECTS))
    return order_of_epoch(seed, epoch)[place]


class Pairs:
    """Draws (latent, caption) pairs."""

    def __init__(self, stage: Stage) -> None:
        self.latents = Latents(stage.work)
        main = Art(stage.work).main
        self.own_colour = {
            subject: colour_word(main[subject][0]) if main[subject][1] >= 0.45 else None
            for subject in SUBJECTS
        }
        self.other_colours = {
            subject: [c for c in COLOURS if f"{subject}|{c}" in self.latents]
            for subject in SUBJECTS
        }

    def draw(self, subject: str, rng: random.Random, late: bool) -> tuple[torch.Tensor, str]:
        """One training pair: centred, jittered or recoloured with its colour in the caption."""
        chance = rng.random()
        if chance < COLOUR_SHARE[late] and self.other_colours[subject]:
            colour = rng.choice(self.other_colours[subject])
            return self.latents[f"{subject}|{colour}"], caption(subject, rng, colour)
        own = self.own_colour[subject] if rng.random() < OWN_COLOUR_NAMED else None
        jittered = chance > 1 - JITTER_SHARE[late]
        variant = rng.choice(JITTERED) if jittered else "flat"
        return self.latents[f"{subject}|{variant}"], caption(subject, rng, own)


def spread_timesteps(count: int, lean: float) -> torch.Tensor:
    """Stratified timesteps 0..999; `lean` below 1 prefers the noisy side."""
    even = (torch.randperm(count) + torch.rand(count)) / count
    return (even**lean * 1000).long().clamp(0, 999)


def train(stage: Stage, rank: int) -> None:
    """One process of the UNet stage; writes `work/unet/unet` and `work/unet/text_encoder`."""
    torch.manual_seed(stage.seed)
    tokenizer = load_tokenizer(stage.work)
    pairs = Pairs(stage)
    unet, text_encoder = new_unet(), new_text_encoder(tokenizer)
    unet.train()
    text_encoder.train()
    noise_schedule = DDPMScheduler(**NOISE_SCHEDULE)

    def tokens(captions: list[str]) -> torch.Tensor:
        return tokenizer(
            captions,
            padding="max_length",
            max_length=MAX_LENGTH,
            truncation=True,
            return_tensors="pt",
        ).input_ids

    def loss(draws: Draws, fraction: float) -> tuple[torch.Tensor, dict[str, float]]:
        late = fraction >= PLAIN
        rng = random.Random(draws.seed)
        first = trainer.position.done + rank * stage.batch
        chosen = [
            pairs.draw(subject_at(stage.seed, first + i), rng, late) for i in range(stage.batch)
        ]
        captions = ["" if rng.random() < EMPTY_CAPTIONS else text for _, text in chosen]
        x = torch.stack([latent for latent, _ in chosen])
        noise, times = torch.randn_like(x), spread_timesteps(len(x), NOISE_LEAN[late])
        hidden = text_encoder(tokens(captions))[0]
        predicted = unet(noise_schedule.add_noise(x, noise, times), times, hidden).sample
        error = F.mse_loss(predicted, noise_schedule.get_velocity(x, noise, times))
        return error, {"v": error.item()}

    def export() -> None:
        unet.save_pretrained(stage.folder / "unet")
        text_encoder.save_pretrained(stage.folder / "text_encoder")

    modules: dict[str, torch.nn.Module] = {"unet": unet, "text_encoder": text_encoder}
    parameters = [p for m in modules.values() for p in m.parameters()]
    trainer = Trainer(
        stage,
        rank,
        modules,
        torch.optim.AdamW(
            parameters,
            lr=PEAK_RATE,
            betas=(0.9, 0.99),
            weight_decay=0.01,
            foreach=True,
        ),
        loss,
        rate=lambda fraction: cosine(fraction, hold=HOLD, end=0.003),
        export=export,
        samples_per_step=stage.batch * stage.processes,
        ema_decay=0.996,
        warmup=50,
    )
    trainer.run()


def run(stage: Stage) -> None:
    """Train as far as the stage says, or do nothing if the schedule is finished."""
    if not stage.finished:
        launch(train, stage)
