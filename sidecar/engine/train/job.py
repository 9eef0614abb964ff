"""A whole training: from a data folder to a LoRA file, its card, preview and sample sheets."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch

from sidecar.engine.contract import CancelToken
from sidecar.engine.train.base_model import load_base
from sidecar.engine.train.dataset import read_dataset
from sidecar.engine.train.export import Facts, save_lora, write_card
from sidecar.engine.train.preset import load_preset
from sidecar.engine.train.samples import Sampler, sheet_prompts
from sidecar.engine.train.stages import StagePlan
from sidecar.engine.train.trainer import Report, Trainer
from sidecar.errors import OutOfMemory


@dataclass(frozen=True)
class TrainingJob:
    """`preset`: a bundled name or FILE.json; `model`: a diffusers folder, `model_name` for people;
    `out`: the .safetensors file. `sheets`: a folder for a sample sheet after each stage.
    `init`: a LoRA file to begin from. `preview`: the prompt of the card's picture; the first
    sample prompt when None.
    """

    preset: str
    data: Path
    out: Path
    model: Path
    model_name: str
    resume: bool = False
    sheets: Path | None = None
    preview: str | None = None
    threads: int | None = None
    init: Path | None = None

    @property
    def work(self) -> Path:
        """Latents and checkpoint; gone when the run is finished."""
        return self.out.with_name(f".{self.out.stem}.training")


MEMORY_WAYS = (
    "There is not enough memory for this training.",
    "Lower batch_size or resolution in the preset, or turn gradient_checkpointing on.",
)


def train(job: TrainingJob, report: Report, cancel: CancelToken) -> Path:
    """Run it; the path of the file. Raises SidecarErrors; Cancelled leaves a checkpoint."""
    try:
        return _train(job, report, cancel)
    except torch.OutOfMemoryError as exc:
        raise OutOfMemory(alternatives=list(MEMORY_WAYS)) from exc


def _train(job: TrainingJob, report: Report, cancel: CancelToken) -> Path:
    if job.threads:
        torch.set_num_threads(job.threads)
    preset = load_preset(job.preset)
    data = read_dataset(job.data)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    base = load_base(job.model, job.model_name, device)
    trainer = Trainer(base, preset, data, job.work, report, cancel)
    if job.init is not None:
        trainer.network.set_scale(preset.stages[0].alpha)
        trainer.network.start_from(job.init)
    sampler = Sampler(base, trainer.network, preset.samples, trainer.resolution)

    def after_stage(plan: StagePlan) -> None:
        if job.sheets is not None:
            prompts = sheet_prompts(preset.samples, data, plan.template)
            name = f"{job.out.stem}-{plan.index + 1}-{plan.stage.name}.png"
            sampler.sheet(prompts, job.sheets / name)

    network = trainer.run(job.resume, after_stage)
    facts = Facts(base.family, base.prediction, preset, data, trainer.position, trainer.resolution)
    save_lora(network, facts, job.out)
    template = trainer.plans[-1].template
    subject = template.replace("{prompt}", job.preview) if job.preview else None
    prompts = [subject] if subject else sheet_prompts(preset.samples, data, template)[:1]
    preview = job.out.with_suffix(".png")
    sampler.draw(prompts, 1.0)[0].save(preview, optimize=True)
    write_card(facts, job.out, preview)
    shutil.rmtree(job.work, ignore_errors=True)
    return job.out
