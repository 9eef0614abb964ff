"""The finished LoRA: NAME.safetensors in half precision, and its card NAME.json beside it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import torch

from sidecar import __version__
from sidecar.engine.train.checkpoint import Position
from sidecar.engine.train.dataset import Dataset
from sidecar.engine.train.network import LoraNetwork
from sidecar.engine.train.preset import TrainingPreset
from sidecar.engine.train.tensors import write_tensors

ARCHITECTURES = {
    "sd15": "stable-diffusion-v1/lora",
    "sd21": "stable-diffusion-v2-768-v/lora",
    "starter": "starter/lora",
}
BASE_VERSIONS = {"sd15": "sd_v1", "sd21": "sd_v2", "starter": "starter"}


@dataclass(frozen=True)
class Facts:
    """What a file and its card say about their making."""

    family: str
    prediction: str
    preset: TrainingPreset
    data: Dataset
    position: Position
    resolution: int


def save_lora(network: LoraNetwork, facts: Facts, path: Path) -> None:
    """Write the tensors under peft's key names ("unet.….lora_A.weight"), scale folded in.

    No alpha is stored: every reader then takes alpha = rank, a factor of 1.
    """
    card = read_own_card(path)
    tensors = {k: v.to(torch.float16).contiguous() for k, v in network.folded().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    write_tensors(tensors, unfinished, _metadata(facts, card.get("title") or path.stem))
    os.replace(unfinished, path)


def _metadata(facts: Facts, title: str) -> dict[str, str]:
    """modelspec (Stability AI) and ss_ (kohya-ss) fields, and our own."""
    preset, records = facts.preset, facts.position.records
    return {
        "format": "pt",
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": ARCHITECTURES.get(facts.family, "unknown/lora"),
        "modelspec.implementation": "diffusers",
        "modelspec.title": title,
        "modelspec.date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "modelspec.resolution": f"{facts.resolution}x{facts.resolution}",
        "modelspec.prediction_type": "v" if "v_" in facts.prediction else facts.prediction,
        "ss_base_model_version": BASE_VERSIONS.get(facts.family, "unknown"),
        "ss_network_module": "peft",
        "ss_network_dim": str(preset.rank),
        "ss_network_alpha": str(preset.rank),
        "ss_seed": str(preset.seed),
        "ss_steps": str(sum(record.steps for record in records)),
        "ss_num_train_images": str(len(facts.data.target)),
        "sidecar.version": __version__,
        "sidecar.family": facts.family,
        "sidecar.preset": preset.model_dump_json(exclude={"samples"}),
        "sidecar.stages": json.dumps([vars(record) for record in records]),
    }


def read_own_card(path: Path) -> dict[str, Any]:
    """The card that lies beside a LoRA file already, or nothing."""
    try:
        value: Any = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def write_card(facts: Facts, path: Path, preview: Path | None) -> None:
    """Write NAME.json. What an author put there before (title, licence, sources, …) is kept."""
    preset, name = facts.preset, path.stem
    template = preset.template(preset.stages[-1])
    card: dict[str, Any] = {
        "title": name.replace("-", " ").replace("_", " ").capitalize(),
        "trigger_words": [preset.trigger] if preset.trigger else [],
        "prompt_template": template,
        "negative_prompt": None,
        "conflict_group": None,
        "alpha_range": [0.3, 1.0],
        "license": None,
        "sources": [],
        **read_own_card(path),
        "family": facts.family,
        "rank": preset.rank,
    }
    if preview is not None:
        card["preview"] = preview.name
    unfinished = path.with_suffix(".json.tmp")
    unfinished.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(unfinished, path.with_suffix(".json"))
