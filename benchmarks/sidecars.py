"""A sidecar for a benchmark: its own data folder, the starter loaded, its LoRAs known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sidecar.client import Sidecar
from sidecar.paths import bundled_lora_folder
from sidecar.protocol.models import ModelCard

PROMPTS = (
    "red apple",
    "cat face",
    "rocket",
    "castle",
    "butterfly",
    "penguin",
    "cactus",
    "sailboat",
    "banana",
    "owl",
    "guitar",
    "tree",
    "house",
    "strawberry",
    "fish",
    "umbrella",
)
"""A new prompt each round, so that no cache of prompts flatters the figures."""


@dataclass(frozen=True)
class Ready:
    sidecar: Sidecar
    model: ModelCard
    loras: list[str]

    def lora_file(self, name: str) -> str:
        return str(bundled_lora_folder() / f"{name}.safetensors")


def bundled_loras() -> list[str]:
    """Names of the LoRAs that ship with the package, each with its card."""
    return sorted(
        path.stem
        for path in bundled_lora_folder().glob("*.safetensors")
        if path.with_suffix(".json").is_file()
    )


@contextmanager
def starter_sidecar() -> Iterator[Ready]:
    with TemporaryDirectory(prefix="lora-sidecar-bench-") as data, Sidecar.spawn(Path(data)) as s:
        s.load_model("starter")
        model = next(card for card in s.list_models() if card.name == "starter")
        yield Ready(s, model, bundled_loras())
