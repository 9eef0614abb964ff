"""Where a run stands, in one file that is replaced in one piece."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from sidecar.engine.train.base_model import BaseModel
from sidecar.engine.train.dataset import Dataset
from sidecar.engine.train.preset import TrainingPreset
from sidecar.engine.train.stages import EarlyStopping
from sidecar.errors import InvalidParams


@dataclass
class StageRecord:
    """What came of a stage that has ended."""

    name: str
    steps: int
    loss: float | None
    holdout_losses: list[float]
    best_epoch: int | None


@dataclass
class Position:
    """`step` of stage number `stage` comes next; `records` are of the stages before it."""

    stage: int = 0
    step: int = 0
    seconds: float = 0.0
    records: list[StageRecord] = field(default_factory=list[StageRecord])


@dataclass
class Checkpoint:
    """All that a run needs to go on: random draws depend on the position alone."""

    position: Position
    parameters: list[Tensor]
    average: list[Tensor]
    optimizer: dict[str, Any]
    stopping: EarlyStopping | None
    best: list[Tensor] | None
    losses: list[float]


def identity(base: BaseModel, preset: TrainingPreset, data: Dataset) -> str:
    """Changes with the model, the preset's figures and the pictures' names and captions."""
    digest = hashlib.sha256(preset.model_dump_json(exclude={"samples"}).encode())
    for file in sorted((base.folder / "unet").glob("*.safetensors")):
        digest.update(f"{file.name} {file.stat().st_size}".encode())
    for item in data.items():
        path = item.path.relative_to(data.root).as_posix()
        digest.update(f"{path} {item.caption} {item.repeats}".encode())
    return digest.hexdigest()


def save_checkpoint(path: Path, mark: str, checkpoint: Checkpoint) -> None:
    """Write beside, sync, rename: kill -9 at any moment leaves the former file or the new one."""
    stopping = checkpoint.stopping
    value = {
        "identity": mark,
        "position": asdict(checkpoint.position),
        "parameters": [p.detach().cpu() for p in checkpoint.parameters],
        "average": checkpoint.average,
        "optimizer": checkpoint.optimizer,
        "stopping": None if stopping is None else asdict(stopping),
        "best": checkpoint.best,
        "losses": checkpoint.losses,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        torch.save(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def load_checkpoint(path: Path, mark: str) -> Checkpoint | None:
    """None when there is none. Raises InvalidParams when it belongs to another run."""
    if not path.is_file():
        return None
    value = cast("dict[str, Any]", torch.load(path, weights_only=True))
    if value["identity"] != mark:
        reason = "the checkpoint was made with another model, preset or data set; start anew"
        raise InvalidParams(errors=[{"path": "resume", "message": reason}], summary=reason)
    position = value["position"]
    records = [StageRecord(**record) for record in position.pop("records")]
    stopping = value["stopping"]
    return Checkpoint(
        position=Position(**position, records=records),
        parameters=value["parameters"],
        average=value["average"],
        optimizer=value["optimizer"],
        stopping=None if stopping is None else EarlyStopping(**stopping),
        best=value["best"],
        losses=value["losses"],
    )
