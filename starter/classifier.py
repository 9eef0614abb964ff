"""Stage `classifier`: a small network that names the subject and the style of a picture.

It is the evaluation's judge. It is trained on augmented original art only and never sees a
generated picture.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

from starter.art import JITTERED, STYLES, Art
from starter.colour import COLOURS
from starter.subjects import SUBJECTS
from starter.training import Draws, Stage, Trainer, cosine, launch

LOOKS: tuple[str, ...] = ("flat", *STYLES)
WEIGHTS = Path(__file__).parent / "classifier.safetensors"
SHARES = {"flat": 0.30, "jitter": 0.15, "colour": 0.15, "style": 0.40}


class Classifier(torch.nn.Module):
    """Five convolutions on the picture at 64x64; two linear heads (0.3 M parameters)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        widths = (3, 24, 48, 96, 128)
        for before, after in itertools.pairwise(widths):
            layers += [
                torch.nn.Conv2d(before, after, 3, stride=2, padding=1),
                torch.nn.GroupNorm(8, after),
                torch.nn.ReLU(),
            ]
        layers += [torch.nn.Conv2d(128, 128, 3, padding=1), torch.nn.GroupNorm(8, 128),
                   torch.nn.ReLU()]  # fmt: skip
        self.trunk = torch.nn.Sequential(*layers)
        self.subject = torch.nn.Linear(128 * 4, len(SUBJECTS))
        self.look = torch.nn.Linear(128 * 4, len(LOOKS))

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3, 128, 128) in -1..1 to subject and style logits."""
        features = self.trunk(F.avg_pool2d(pictures, 2))
        pooled = F.dropout(F.adaptive_avg_pool2d(features, 2).flatten(1), 0.2, self.training)
        return self.subject(pooled), self.look(pooled)


def augment(pictures: torch.Tensor) -> torch.Tensor:
    """Random mirror, shift, scale, slight turn, blur, brightness and noise."""
    count = len(pictures)
    angle = (torch.rand(count) - 0.5) * 0.3
    scale = 0.95 + 0.27 * torch.rand(count)
    mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
    shift = (torch.rand(count, 2) - 0.5) * 0.24
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = mirror * scale * angle.cos(), -scale * angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = mirror * scale * angle.sin(), scale * angle.cos()
    matrix[:, :, 2] = shift
    places = F.affine_grid(matrix, list(pictures.shape), align_corners=False)
    result = F.grid_sample(pictures, places, padding_mode="border", align_corners=False)
    soft = F.avg_pool2d(F.pad(result, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    blur = torch.rand(count, 1, 1, 1) ** 2
    result = blur * soft + (1 - blur) * result
    gain, offset = 0.85 + 0.3 * torch.rand(count, 3, 1, 1), 0.12 * torch.randn(count, 1, 1, 1)
    result = result * gain + offset
    return (result + 0.08 * torch.rand(count, 1, 1, 1) * torch.randn_like(result)).clamp(-1, 1)


def train(stage: Stage, rank: int) -> None:
    """The classifier stage (one process); writes `starter/classifier.safetensors`."""
    torch.manual_seed(stage.seed)
    art = Art(stage.work)
    groups = dict.fromkeys(JITTERED, "jitter") | dict.fromkeys(COLOURS, "colour")
    groups |= dict.fromkeys(STYLES, "style") | {"flat": "flat"}
    parts = [key.split("|") for key in art.keys]
    usable = [i for i, (s, v) in enumerate(parts) if s in SUBJECTS and v in groups]
    kinds = [groups[parts[i][1]] for i in usable]
    chances = np.array([SHARES[kind] / kinds.count(kind) for kind in kinds])
    chances /= chances.sum()
    number = {subject: i for i, subject in enumerate(SUBJECTS)}
    subjects = torch.tensor([number[parts[i][0]] for i in usable])
    looks = torch.tensor([LOOKS.index(parts[i][1]) if parts[i][1] in STYLES else 0 for i in usable])
    pixels = art.pixels[usable]
    model = Classifier().train()

    def loss(draws: Draws, _: float) -> tuple[torch.Tensor, dict[str, float]]:
        chosen = draws.numpy.choice(len(usable), stage.batch, p=chances)
        x = torch.from_numpy(pixels[chosen]).permute(0, 3, 1, 2).float() / 127.5 - 1
        by_subject, by_look = model(augment(x))
        wanted = subjects[chosen]
        first = F.cross_entropy(by_subject, wanted, label_smoothing=0.05)
        second = F.cross_entropy(by_look, looks[chosen], label_smoothing=0.02)
        right = (by_subject.argmax(1) == wanted).float().mean().item()
        return first + 0.5 * second, {
            "subject": first.item(), "look": second.item(), "right": right
        }  # fmt: skip

    def export() -> None:
        save_file({k: v.half().contiguous() for k, v in model.state_dict().items()}, WEIGHTS)

    trainer = Trainer(
        stage,
        rank,
        {"classifier": model},
        torch.optim.AdamW(model.parameters(), lr=2.5e-3, weight_decay=0.02, foreach=True),
        loss,
        rate=lambda fraction: cosine(fraction, hold=0.3, end=0.01),
        export=export,
    )
    trainer.run()


def run(stage: Stage) -> None:
    """Train the classifier, or do nothing if it is finished."""
    if not stage.finished:
        launch(train, stage)


class Judge:
    """The trained classifier on uint8 pictures."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self.model = Classifier().eval()
        self.model.load_state_dict({k: v.float() for k, v in load_file(weights).items()})

    @torch.no_grad()
    def __call__(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 128, 128, 3) to subject and style probabilities."""
        x = torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
        parts = [self.model(part) for part in x.split(64)]
        return (
            torch.cat([p[0] for p in parts]).softmax(1).numpy(),
            torch.cat([p[1] for p in parts]).softmax(1).numpy(),
        )
