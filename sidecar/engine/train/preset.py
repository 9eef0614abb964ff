"""Training presets: JSON files with the figures of a run, stage by stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sidecar.errors import InvalidParams

FOLDER = Path(__file__).parent / "presets"
TARGET_MARK = "<target>"

Fraction = Annotated[float, Field(ge=0, lt=1)]
Augmentation = Literal["translation", "cutout", "color"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StagePreset(_Part):
    """One stage.

    `alpha`: the LoRA's scale while the stage runs (see `network`); with Adam it also scales how
    fast the network's function moves. An epoch is one pass over the target pictures.
    `source_fraction`: the part of each batch taken from `source/`. Negatives come on top of
    `batch_size`: `negative_fraction` of it, at least one, when `negative_weight` is not 0.
    `early_stopping_patience`: epochs without a better held-out loss after which the stage ends;
    the weights then go back to the best epoch. `early_stopping_after`: this many epochs are not
    judged, for styles that redraw shapes and are in only after unseen subjects got worse.
    `checkpoint_save_strategy`: "no", "stage", "epoch" or "steps:N".
    """

    name: str = Field(min_length=1, max_length=64)
    alpha: float = Field(gt=0, le=2)
    lr: float = Field(gt=0, le=1)
    batch_size: int = Field(ge=1, le=1024)
    max_epoch: int = Field(ge=1, le=100_000)
    max_steps: int | None = Field(None, ge=1)
    prompt_template: str = "{prompt}"
    source_fraction: Fraction = 0.0
    early_stopping_patience: int | None = Field(None, ge=1)
    early_stopping_after: int = Field(0, ge=0)
    augment: list[Augmentation] = []
    negative_weight: float = Field(0.0, ge=0, le=1)
    negative_fraction: float = Field(0.25, gt=0, le=1)
    negative_margin: float = Field(0.2, ge=0, le=2)
    checkpoint_save_strategy: str = Field("epoch", pattern=r"^(no|stage|epoch|steps:[1-9]\d*)$")
    log_interval: int = Field(10, ge=1)

    @field_validator("prompt_template")
    @classmethod
    def _has_prompt(cls, text: str) -> str:
        if "{prompt}" not in text:
            raise ValueError("must have {prompt} where the caption goes")
        return text

    @property
    def checkpoint_steps(self) -> int | None:
        """N of "steps:N"."""
        kind, _, count = self.checkpoint_save_strategy.partition(":")
        return int(count) if kind == "steps" else None


class SamplePreset(_Part):
    """The sample sheet: `prompts` (captions of the data set when empty) by `alphas`."""

    prompts: list[str] = []
    alphas: list[float] = [0.0, 0.35, 0.7, 1.0]
    steps: int = Field(14, ge=1, le=200)
    guidance_scale: float = Field(2.5, ge=0, le=30)
    seed: int = Field(11, ge=0)


class TrainingPreset(_Part):
    """A whole run.

    `trigger` takes the place of `<target>` in the prompt templates; without one the mark stays.
    `resolution`: pixels of the square pictures; the model's own when null.
    `ema`: decay of the running average of the weights, which is what is saved; 0: none.
    `guidance_dropout`: how often a caption is left out, for classifier-free guidance.
    `timestep_power`: u**power of a uniform u is the noise level; below 1 prefers noisy ones.
    `lr_hold`: the part of a stage before the cosine begins.
    """

    name: str = Field(min_length=1, max_length=64)
    rank: int = Field(ge=1, le=512)
    target_modules: list[str] = Field(min_length=1)
    seed: int = Field(0, ge=0, lt=2**31)
    resolution: int | None = Field(None, ge=64, le=2048, multiple_of=8)
    trigger: str | None = None
    ema: Fraction = 0.0
    guidance_dropout: Fraction = 0.1
    timestep_power: float = Field(1.0, gt=0, le=4)
    lr_schedule: Literal["constant", "cosine"] = "constant"
    lr_hold: Fraction = 0.0
    lr_warmup_steps: int = Field(0, ge=0)
    weight_decay: float = Field(0.0, ge=0, le=1)
    grad_clip: float = Field(1.0, gt=0)
    gradient_checkpointing: bool = False
    samples: SamplePreset = Field(default_factory=lambda: SamplePreset.model_validate({}))
    stages: list[StagePreset] = Field(min_length=1, max_length=16)

    def template(self, stage: StagePreset) -> str:
        """The stage's prompt template with the trigger word in it."""
        if self.trigger is None:
            return stage.prompt_template
        return stage.prompt_template.replace(TARGET_MARK, self.trigger)


def load_preset(name: str) -> TrainingPreset:
    """A bundled preset by name, or one from a JSON file. Raises InvalidParams."""
    path = Path(name) if name.endswith(".json") else FOLDER / f"{name}.json"
    if path.parent == FOLDER and path not in set(FOLDER.glob("*.json")):
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.json")))
        raise _invalid("preset", f"there is no preset “{name}”; there are {known}, or FILE.json")
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise _invalid("preset", f"{path.name} cannot be read ({exc.strerror})") from exc
    except ValueError as exc:
        raise _invalid("preset", f"{path.name} is not valid JSON ({exc})") from exc
    return parse_preset(value)


def parse_preset(value: Any) -> TrainingPreset:
    """The preset in a JSON value. Raises InvalidParams with the path of each bad field."""
    try:
        return TrainingPreset.model_validate(value)
    except ValidationError as exc:
        errors = [{"path": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in exc.errors()]
        first = errors[0]
        raise InvalidParams(
            errors=errors, summary=f"{first['path'] or 'preset'}: {first['message']}"
        ) from exc


def _invalid(path: str, message: str) -> InvalidParams:
    return InvalidParams(errors=[{"path": path, "message": message}], summary=message)
