"""The training loop: stage after stage, saved as it goes, resumable bit for bit."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from sidecar.engine.contract import CancelToken
from sidecar.engine.train import diffaugment
from sidecar.engine.train.base_model import BaseModel
from sidecar.engine.train.checkpoint import (
    Checkpoint,
    Position,
    StageRecord,
    identity,
    load_checkpoint,
    save_checkpoint,
)
from sidecar.engine.train.dataset import Dataset
from sidecar.engine.train.latents import Latents, encode
from sidecar.engine.train.losses import draw_timesteps, errors, push, target_of
from sidecar.engine.train.network import Average, LoraNetwork
from sidecar.engine.train.preset import TrainingPreset
from sidecar.engine.train.stages import EarlyStopping, StagePlan, generator_for, plan_stages
from sidecar.errors import Cancelled, NumericalFault

HOLDOUT_SEED = 7
HOLDOUT_DRAWS = 2
HOLDOUT_LIMIT = 64
RECENT = 50


@dataclass(frozen=True)
class Update:
    """How far a run is. `done` of `total` steps over all stages; `eta` in seconds.

    `phase`: "encode" (then the counts are pictures) or the stage's name. `loss` is a mean of the
    latest steps. `said`: a sentence for the log, otherwise empty.
    """

    phase: str
    done: int
    total: int
    loss: float | None = None
    eta: float | None = None
    said: str = ""


Report = Callable[[Update], None]
AfterStage = Callable[[StagePlan], None]


@dataclass
class _Stage:
    """The moving parts of the stage in work."""

    plan: StagePlan
    optimizer: torch.optim.Optimizer
    average: Average
    embeddings: dict[str, Tensor]
    stopping: EarlyStopping | None
    best: list[Tensor] | None = None
    losses: deque[float] = field(default_factory=lambda: deque[float](maxlen=RECENT))


class Trainer:
    """Trains one LoRA. `folder` keeps latents and the checkpoint while the run goes on."""

    def __init__(
        self,
        base: BaseModel,
        preset: TrainingPreset,
        data: Dataset,
        folder: Path,
        report: Report,
        cancel: CancelToken,
    ) -> None:
        self.base, self.preset, self.data = base, preset, data
        self.network = LoraNetwork(base.unet, preset.rank, preset.target_modules, preset.seed)
        self.plans = plan_stages(preset, data)
        self.position = Position()
        self._report, self._cancel = report, cancel
        self._latents_file = folder / "latents.safetensors"
        self._checkpoint_file = folder / "checkpoint.pt"
        self._identity = identity(base, preset, data)
        self._latents: Latents | None = None
        self._pace: deque[float] = deque(maxlen=RECENT)
        if preset.gradient_checkpointing:
            base.unet.enable_gradient_checkpointing()

    @property
    def resolution(self) -> int:
        """Pixels of a side."""
        return self.preset.resolution or self.base.resolution

    def run(self, resume: bool, after_stage: AfterStage | None = None) -> LoraNetwork:
        """All stages; the network then holds what is to be saved.

        Raises DatasetInvalid, NumericalFault, InvalidParams (a checkpoint of another run), and
        Cancelled after a checkpoint was written.
        """
        checkpoint = load_checkpoint(self._checkpoint_file, self._identity) if resume else None
        self._latents = self._encode()
        self._say_notes()
        if checkpoint is not None:
            self.position = checkpoint.position
            where = self.plans[self.position.stage]
            said = f"Going on with stage “{where.stage.name}” at step {self.position.step}."
            self._update(where, None, said)
        stage = self._begin(self.plans[self.position.stage], checkpoint)
        while True:
            self._train(stage)
            self._finish(stage, after_stage)
            if stage.plan is self.plans[-1]:
                return self.network
            stage = self._follow(stage.plan)

    # ----------------------------------------------------------------- a stage

    def _begin(self, plan: StagePlan, checkpoint: Checkpoint | None) -> _Stage:
        network, preset = self.network, self.preset
        network.set_scale(plan.stage.alpha)
        if checkpoint is not None:
            network.put(checkpoint.parameters)
        patience = plan.stage.early_stopping_patience
        stage = _Stage(
            plan=plan,
            optimizer=torch.optim.AdamW(
                network.parameters, plan.stage.lr, (0.9, 0.99), weight_decay=preset.weight_decay
            ),
            average=Average(network.parameters, preset.ema),
            embeddings=self._embed(plan),
            stopping=None if patience is None else EarlyStopping(patience),
        )
        if checkpoint is not None:
            stage.optimizer.load_state_dict(checkpoint.optimizer)
            stage.average.values = [v.to(self.base.device) for v in checkpoint.average]
            stage.stopping, stage.best = checkpoint.stopping, checkpoint.best
            stage.losses.extend(checkpoint.losses)
        return stage

    def _train(self, stage: _Stage) -> None:
        plan, position = stage.plan, self.position
        while position.step < plan.steps and not (stage.stopping and stage.stopping.over):
            if self._cancel.cancelled:
                self._save(stage)
                raise Cancelled()
            started = time.perf_counter()
            stage.losses.append(self._step(stage, position.step))
            position.step += 1
            epoch_ended = position.step % plan.steps_per_epoch == 0
            if stage.stopping and (epoch_ended or position.step == plan.steps):
                self._judge_epoch(stage, stage.stopping, position.step)
            self._count(time.perf_counter() - started)
            if self._is_save_due(plan, epoch_ended):
                self._save(stage)
            said = position.step % plan.stage.log_interval == 0 or position.step == plan.steps
            if said:
                self._update(plan, _mean(stage.losses))

    def _finish(self, stage: _Stage, after_stage: AfterStage | None) -> None:
        """The network holds the averaged weights, or those of the best epoch."""
        self.network.put(stage.best if stage.best is not None else stage.average.values)
        self._record(stage)
        if after_stage is not None:
            after_stage(stage.plan)

    def _follow(self, ended: StagePlan) -> _Stage:
        """The next stage, at its own scale, with the function where the last one left it."""
        following = self.plans[ended.index + 1]
        factor = ended.stage.alpha / following.stage.alpha
        values: list[Tensor] = [p.detach() for p in self.network.parameters]
        self.network.put(self.network.rescaled(values, factor))
        self.position.stage, self.position.step = following.index, 0
        stage = self._begin(following, None)
        if ended.stage.checkpoint_save_strategy != "no":
            self._save(stage)
        return stage

    def _record(self, stage: _Stage) -> None:
        judged = stage.stopping if stage.stopping and stage.stopping.history else None
        unjudged = stage.plan.stage.early_stopping_after
        record = StageRecord(
            name=stage.plan.stage.name,
            steps=self.position.step,
            loss=_mean(stage.losses),
            holdout_losses=[] if judged is None else list(judged.history),
            best_epoch=None if judged is None else judged.best_epoch + unjudged,
        )
        self.position.records.append(record)
        ended = f"Stage “{record.name}” ended after {record.steps} steps"
        if judged is not None:
            epoch = judged.best_epoch + unjudged + 1
            ended += f"; best held-out loss {judged.best:.4f} in epoch {epoch}"
        self._update(stage.plan, record.loss, f"{ended}.")

    # ----------------------------------------------------------------- a step

    def _step(self, stage: _Stage, step: int) -> float:
        """One optimiser step; the loss."""
        plan, network = stage.plan, self.network
        for group in stage.optimizer.param_groups:
            group["lr"] = plan.learning_rate(self.preset, step)
        loss = self._loss(stage, step)
        if not bool(torch.isfinite(loss)):
            raise NumericalFault(what=f"the loss of step {step} in “{plan.stage.name}”")
        stage.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # pyright: ignore[reportUnknownMemberType]
        nn.utils.clip_grad_norm_(network.parameters, self.preset.grad_clip)
        stage.optimizer.step()
        stage.average.update(step)
        return float(loss.detach())

    def _loss(self, stage: _Stage, step: int) -> Tensor:
        plan, policy = stage.plan, stage.plan.stage.augment
        generator = plan.generator(step)
        batch = plan.batch(step, generator)
        clean = self._drawn_latents().take(batch.items, generator)
        clean = diffaugment.augment(clean, policy, generator)
        seen = diffaugment.cutout(clean.shape, policy, generator).to(self.base.device)
        text = torch.stack([stage.embeddings[prompt] for prompt in batch.prompts])
        noisy, timesteps, target = self._noised(clean, generator)
        kept = len(batch.items) - batch.negatives
        each = errors(self._predict(noisy, timesteps, text), target, seen)
        loss = each[:kept].mean()
        if batch.negatives:
            bad = slice(kept, None)
            with torch.no_grad(), self.network.at_scale(0.0):
                bare = errors(
                    self._predict(noisy[bad], timesteps[bad], text[bad]), target[bad], seen[bad]
                )
            pushed = push(each[bad], bare, plan.stage.negative_margin)
            loss = loss + plan.stage.negative_weight * pushed
        return loss

    def _noised(self, clean: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Noisy latents, their timesteps, and what the UNet must predict."""
        noise = self.base.noise
        drawn = torch.randn(clean.shape, generator=generator).to(self.base.device)
        total = int(noise.config.num_train_timesteps)
        timesteps = draw_timesteps(clean.shape[0], total, self.preset.timestep_power, generator).to(
            self.base.device
        )
        clean = clean.to(self.base.device)
        noisy: Tensor = noise.add_noise(clean, drawn, timesteps)
        return noisy, timesteps, target_of(noise, clean, drawn, timesteps)

    def _predict(self, noisy: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        cuda = self.base.device.type == "cuda"
        with torch.autocast(self.base.device.type, torch.bfloat16, enabled=cuda):
            channels_last = noisy.to(memory_format=torch.channels_last)
            return self.base.unet(channels_last, timesteps, text).sample

    # ----------------------------------------------------------------- held-out loss

    def _judge_epoch(self, stage: _Stage, stopping: EarlyStopping, step: int) -> None:
        if step <= stage.plan.stage.early_stopping_after * stage.plan.steps_per_epoch:
            return
        with self.network.holding(stage.average.values):
            loss = self.holdout_loss(stage.plan)
        if stopping.take(loss):
            stage.best = [v.clone() for v in stage.average.values]

    @torch.no_grad()
    def holdout_loss(self, plan: StagePlan) -> float:
        """Mean error on held-out pictures, with the same noise at every call."""
        items = [i for i in self.data.holdout for _ in range(HOLDOUT_DRAWS)][:HOLDOUT_LIMIT]
        generator = generator_for(self.preset.seed, HOLDOUT_SEED)
        text = self._holdout_text([plan.prompt(item) for item in items])
        clean = self._drawn_latents().take(items, generator)
        noisy, timesteps, target = self._noised(clean, generator)
        seen = torch.ones_like(target[:, :1])
        total, size = 0.0, max(plan.stage.batch_size, 1)
        for start in range(0, len(items), size):
            part = slice(start, start + size)
            predicted = self._predict(noisy[part], timesteps[part], text[part])
            total += float(errors(predicted, target[part], seen[part]).sum())
        return total / len(items)

    def _holdout_text(self, prompts: list[str]) -> Tensor:
        return self.base.embed(prompts)

    # ----------------------------------------------------------------- around it

    def _encode(self) -> Latents:
        def say(done: int, total: int) -> None:
            if self._cancel.cancelled:
                raise Cancelled()
            self._report(Update("encode", done, total))

        items = list(self.data.items())
        return encode(self.base, items, self.resolution, self._latents_file, say)

    def _drawn_latents(self) -> Latents:
        if self._latents is None:
            raise RuntimeError("the pictures are not encoded yet")
        return self._latents

    def _embed(self, plan: StagePlan) -> dict[str, Tensor]:
        prompts = plan.prompts()
        return dict(zip(prompts, self.base.embed(prompts), strict=True))

    def _is_save_due(self, plan: StagePlan, epoch_ended: bool) -> bool:
        every = plan.stage.checkpoint_steps
        if every is not None:
            return self.position.step % every == 0
        return plan.stage.checkpoint_save_strategy == "epoch" and epoch_ended

    def _save(self, stage: _Stage) -> None:
        checkpoint = Checkpoint(
            position=self.position,
            parameters=[p.detach() for p in self.network.parameters],
            average=stage.average.values,
            optimizer=stage.optimizer.state_dict(),
            stopping=stage.stopping,
            best=stage.best,
            losses=list(stage.losses),
        )
        save_checkpoint(self._checkpoint_file, self._identity, checkpoint)

    def _count(self, seconds: float) -> None:
        self._pace.append(seconds)
        self.position.seconds += seconds

    def _say_notes(self) -> None:
        for note in (*self.data.notes, *(n for plan in self.plans for n in plan.notes)):
            self._report(Update("encode", 1, 1, said=note))

    def _update(self, plan: StagePlan, loss: float | None, said: str = "") -> None:
        total = sum(p.steps for p in self.plans)
        done = sum(p.steps for p in self.plans[: plan.index]) + self.position.step
        pace = _mean(self._pace)
        eta = None if pace is None else pace * (total - done)
        self._report(Update(plan.stage.name, done, total, loss, eta, said))


def _mean(values: deque[float]) -> float | None:
    return sum(values) / len(values) if values else None
