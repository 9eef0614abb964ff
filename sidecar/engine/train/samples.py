"""Sample sheets: prompts down, alphas across."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from PIL import Image, ImageDraw

from sidecar.engine.train.base_model import BaseModel
from sidecar.engine.train.dataset import Dataset
from sidecar.engine.train.network import LoraNetwork
from sidecar.engine.train.preset import SamplePreset

HEAD = 16
PROMPTS = 6


class Sampler:
    """Draws with the network as it is at the moment. Alpha 1 is the stage's own scale."""

    def __init__(
        self, base: BaseModel, network: LoraNetwork, settings: SamplePreset, side: int
    ) -> None:
        self._pipeline: Any = base.pipeline()
        self._network, self._settings, self._side = network, settings, side

    def draw(self, prompts: list[str], alpha: float) -> list[Image.Image]:
        """One picture for each prompt, all from the preset's seed."""
        seeds = [torch.Generator().manual_seed(self._settings.seed) for _ in prompts]
        with torch.no_grad(), self._network.at_scale(alpha * self._network.scale):
            made = self._pipeline(
                prompts,
                width=self._side,
                height=self._side,
                num_inference_steps=self._settings.steps,
                guidance_scale=self._settings.guidance_scale,
                generator=seeds,
            )
        return cast("list[Image.Image]", made.images)

    def sheet(self, prompts: list[str], path: Path) -> None:
        """Write the sheet as PNG."""
        alphas = self._settings.alphas
        columns = [self.draw(prompts, alpha) for alpha in alphas]
        side = self._side
        sheet = Image.new("RGB", (side * len(alphas), HEAD + side * len(prompts)), "white")
        words = ImageDraw.Draw(sheet)
        for x, (alpha, column) in enumerate(zip(alphas, columns, strict=True)):
            words.text((x * side + 4, 2), f"alpha {alpha:g}", fill="black")
            for y, picture in enumerate(column):
                sheet.paste(picture, (x * side, HEAD + y * side))
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path, optimize=True)


def sheet_prompts(settings: SamplePreset, data: Dataset, template: str) -> list[str]:
    """The preset's prompts, or captions of held-out and target pictures, in the template."""
    captions = [item.caption for item in (*data.holdout[: PROMPTS // 2], *data.target)]
    plain = settings.prompts or list(dict.fromkeys(captions))[:PROMPTS]
    return [template.replace("{prompt}", prompt) for prompt in plain]
