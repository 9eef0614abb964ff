"""How long a stage is, what stands in each of its batches, and when it ends early.

Every draw comes from a generator seeded with (seed, stage, step): a run that was cut off goes on
from its checkpoint exactly as if it had never stopped, and no generator's state need be kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch

from sidecar.engine.train.dataset import Dataset, Item
from sidecar.engine.train.preset import StagePreset, TrainingPreset
from sidecar.engine.train.tensors import integers

_ORDER_TARGET, _ORDER_SOURCE, _ORDER_NEGATIVE, _STEP = range(4)


def generator_for(*key: int) -> torch.Generator:
    """A generator that depends on the numbers of `key` alone."""
    seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator().manual_seed(seed)


@lru_cache(maxsize=16)
def _order(count: int, *key: int) -> list[int]:
    return integers(torch.randperm(count, generator=generator_for(*key)))


def _take(items: Sequence[Item], first: int, count: int, *key: int) -> list[Item]:
    """`count` items from place `first` of endless shuffled passes over `items`."""
    places = range(first, first + count)
    return [items[_order(len(items), *key, p // len(items))[p % len(items)]] for p in places]


@dataclass(frozen=True)
class Batch:
    """Items and prompts of one step: targets and sources, then negatives."""

    items: list[Item]
    prompts: list[str]
    negatives: int


@dataclass(frozen=True)
class StagePlan:
    """One stage on one data set. `notes`: sentences about what the data set could not give."""

    index: int
    stage: StagePreset
    template: str
    seed: int
    dropout: float
    targets: tuple[Item, ...]
    sources: tuple[Item, ...]
    negatives: tuple[Item, ...]
    from_source: int
    from_negative: int
    notes: tuple[str, ...] = ()

    @property
    def from_target(self) -> int:
        return self.stage.batch_size - self.from_source

    @property
    def steps_per_epoch(self) -> int:
        """Batches until each target picture was seen once."""
        return math.ceil(len(self.targets) / self.from_target)

    @property
    def steps(self) -> int:
        """At most this many."""
        steps = self.steps_per_epoch * self.stage.max_epoch
        return min(steps, self.stage.max_steps or steps)

    def generator(self, step: int) -> torch.Generator:
        """The random source of one step."""
        return generator_for(self.seed, self.index, _STEP, step)

    def batch(self, step: int, generator: torch.Generator) -> Batch:
        """What step `step` (from 0) trains on."""
        key = (self.seed, self.index)
        targets = _take(
            self.targets, step * self.from_target, self.from_target, *key, _ORDER_TARGET
        )
        sources = _take(
            self.sources, step * self.from_source, self.from_source, *key, _ORDER_SOURCE
        )
        negatives = _take(
            self.negatives, step * self.from_negative, self.from_negative, *key, _ORDER_NEGATIVE
        )
        prompts = [
            *(self.prompt(item) for item in targets),
            *(item.caption for item in sources),
            *(self.prompt(item) for item in negatives),
        ]
        dropped = torch.rand(len(prompts), generator=generator) < self.dropout
        said = ["" if d else p for p, d in zip(prompts, integers(dropped), strict=True)]
        return Batch([*targets, *sources, *negatives], said, len(negatives))

    def prompt(self, item: Item) -> str:
        """The caption in the stage's template. Source pictures keep the bare caption."""
        return self.template.replace("{prompt}", item.caption)

    def prompts(self) -> list[str]:
        """Every text the stage can meet."""
        said = [self.prompt(item) for item in (*self.targets, *self.negatives)]
        return sorted({"", *said, *(item.caption for item in self.sources)})

    def learning_rate(self, preset: TrainingPreset, step: int) -> float:
        """Linear warm-up, then flat, or flat and half a cosine down to a five-hundredth."""
        rate = self.stage.lr * min(1.0, (step + 1) / max(preset.lr_warmup_steps, 1))
        done = step / self.steps
        if preset.lr_schedule == "constant" or done < preset.lr_hold:
            return rate
        part = (done - preset.lr_hold) / (1 - preset.lr_hold)
        return rate * (0.002 + 0.998 * (0.5 + 0.5 * math.cos(math.pi * part)))


def plan_stages(preset: TrainingPreset, dataset: Dataset) -> list[StagePlan]:
    """The stages of a preset on a data set, in order."""
    return [_plan(preset, i, stage, dataset) for i, stage in enumerate(preset.stages)]


def _plan(preset: TrainingPreset, index: int, stage: StagePreset, data: Dataset) -> StagePlan:
    notes: list[str] = []
    from_source = from_negative = 0
    if stage.source_fraction:
        if data.source and stage.batch_size > 1:
            wanted = round(stage.batch_size * stage.source_fraction)
            from_source = min(max(wanted, 1), stage.batch_size - 1)
        else:
            notes.append(f"Stage “{stage.name}” runs without source pictures: there are none.")
    if stage.negative_weight:
        if data.negative:
            from_negative = max(round(stage.batch_size * stage.negative_fraction), 1)
        else:
            notes.append(f"Stage “{stage.name}” runs without negative pictures: there are none.")
    return StagePlan(
        index=index,
        stage=stage,
        template=preset.template(stage),
        seed=preset.seed,
        dropout=preset.guidance_dropout,
        targets=_repeated(data.target),
        sources=_repeated(data.source) if from_source else (),
        negatives=_repeated(data.negative) if from_negative else (),
        from_source=from_source,
        from_negative=from_negative,
        notes=tuple(notes),
    )


def _repeated(items: Sequence[Item]) -> tuple[Item, ...]:
    return tuple(item for item in items for _ in range(item.repeats))


@dataclass
class EarlyStopping:
    """Ends a stage after `patience` epochs without a better held-out loss."""

    patience: int
    best: float = math.inf
    best_epoch: int = -1
    waited: int = 0
    history: list[float] = field(default_factory=list[float])

    def take(self, loss: float) -> bool:
        """Note the loss of the epoch that just ended; whether it is the best so far."""
        self.history.append(loss)
        if loss < self.best:
            self.best, self.best_epoch, self.waited = loss, len(self.history) - 1, 0
            return True
        self.waited += 1
        return False

    @property
    def over(self) -> bool:
        return self.waited >= self.patience
