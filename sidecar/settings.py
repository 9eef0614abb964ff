"""One frozen object with every setting, built by the command line and passed down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sidecar.paths import DataFolder, bundled_lora_folder, starter_folder

EngineKind = Literal["diffusion", "lite", "fake"]
LogFormat = Literal["json", "text"]


@dataclass(frozen=True)
class Settings:
    """What a sidecar was told when it was started.

    Sizes are bytes, durations seconds. `fusion_limit`: what the strengths of the styles of one
    conflict group may add up to. `check_…`: "off", "warn" or "block", for every picture.
    `finish`: what was asked for is done also when the client has nothing more to say.
    `engine_command`, when given, replaces the command that starts the engine process (tests use
    it).
    """

    data: DataFolder
    model_folders: tuple[Path, ...] = ()
    lora_folders: tuple[Path, ...] = ()
    starter: Path = field(default_factory=starter_folder)
    engine: EngineKind = "diffusion"
    engine_command: tuple[str, ...] | None = None
    threads: int | None = None
    history_keep: int = 50
    queue_limit: int = 256
    cancel_deadline: float = 10.0
    max_message_bytes: int = 64 * 1024 * 1024
    preview_cache_bytes: int = 32 * 1024 * 1024
    fusion_limit: float = 0.3
    check_nsfw: str = "off"
    check_codes: str = "warn"
    check_text: str = "off"
    nsfw_threshold: float = 0.8
    log_format: LogFormat = "json"
    log_level: str = "info"
    preload_model: str | None = None
    finish: bool = False

    @property
    def all_lora_folders(self) -> tuple[Path, ...]:
        """The user's folders first, so that a user's file wins over a bundled one."""
        return (*self.lora_folders, self.data.loras, bundled_lora_folder())

    @property
    def all_model_folders(self) -> tuple[Path, ...]:
        return (*self.model_folders, self.data.models)


Clock = Callable[[], float]
