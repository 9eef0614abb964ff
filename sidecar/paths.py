"""Where things lie on disk. Nothing here creates a folder; that happens when one is needed."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


def package_root() -> Path:
    """The folder of the `sidecar` package, also inside a frozen program."""
    bundle = getattr(sys, "_MEIPASS", None)
    return Path(bundle) / "sidecar" if bundle else Path(__file__).resolve().parent


def program() -> list[str]:
    """The words that start this program again, also when it is frozen."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "sidecar"]


def starter_folder() -> Path:
    """The starter model that ships with the package (a diffusers folder)."""
    return package_root() / "assets" / "starter"


def clip_vocabulary() -> Path:
    """The vocabulary of CLIP's tokenizer; `make assets` puts it there."""
    return package_root() / "assets" / "clip" / "bpe_simple_vocab_16e6.txt.gz"


def upscaler_folder() -> Path:
    """The super-resolution networks that `make assets` puts there, as .onnx files."""
    return package_root() / "assets" / "upscale"


def check_model(name: str) -> Path:
    """A network that checks pictures ("open-nsfw", "text-finder", "text-reader"), likewise."""
    return package_root() / "assets" / "checks" / f"{name}.onnx"


def bundled_lora_folder() -> Path:
    """The style LoRAs that ship with the package: inside a wheel, or `loras/` of a checkout."""
    packaged = package_root() / "assets" / "loras"
    return packaged if packaged.is_dir() else package_root().parent / "loras"


def default_data_folder() -> Path:
    """The platform's folder for this user's data."""
    import platformdirs

    return Path(platformdirs.user_data_dir("lora-sidecar", appauthor=False))


@dataclass(frozen=True)
class DataFolder:
    """The layout of the user's data folder."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "history.sqlite3"

    @property
    def images(self) -> Path:
        return self.root / "images"

    @property
    def unfinished(self) -> Path:
        """Pictures on their way from the engine into `images`."""
        return self.root / "unfinished"

    @property
    def loras(self) -> Path:
        return self.root / "loras"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def memory_figures(self) -> Path:
        """What runs took of this machine's memory."""
        return self.root / "memory.json"
