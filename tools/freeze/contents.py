"""What goes into each variant of the frozen program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePath

Entry = tuple[str, str, str]
"""Where it goes, where it lies, and its type, as PyInstaller has it."""

# Modules of ours, by folder, that import torch (or what needs it).
DIFFUSION = ("sidecar.engine.diffusion", "sidecar.engine.train")
# Never imported by the program, in either variant, though something refers to them.
NEVER = (
    "IPython",
    "PIL.ImageQt",
    "PIL.ImageTk",
    "_curses",
    "_pytest",
    "_uuid",  # for addresses of network cards; would bring libuuid
    "curses",
    "hf_xet",  # downloads; there are none
    "hypothesis",
    "lycoris",
    "matplotlib",
    "ml_dtypes",  # for exporting to ONNX
    "mpmath.tests",
    "numpy.f2py",
    "onnx",
    "pandas",
    "pygls",
    "pytest",
    "readline",  # of the GPL, without an exception; only an interactive Python asks for it
    "setuptools",  # for building extensions; PyInstaller's hook would import it at each start
    "skimage",
    "sklearn",
    "tensorboard",
    "tkinter",
    "torchaudio",
    "torchvision",
)
# What only libraries of the full variant, or optional parts of others, would import.
LITE_NEVER = (
    "certifi",
    "charset_normalizer",
    "requests",
    "rich",
    "urllib3",
    "yaml",
)
TORCH_AND_COMPANY = (
    "accelerate",
    "diffusers",
    "huggingface_hub",
    "peft",
    "scipy",
    "sympy",
    "networkx",
    "tokenizers",
    "torch",
    "transformers",
)
VERSIONS = ("numpy", "onnxruntime", "pillow", "psutil", "pydantic", "safetensors", "zxing-cpp")
# These look for the versions of each other when they are imported.
TRAINING = ("accelerate", "diffusers", "peft", "transformers")
# The models of transformers that training, diffusers and peft import; there are five hundred more.
# transformers finds out which there are by reading their sources.
MODELS = (
    "auto",
    "bloom",
    "clip",
    "dinov2_with_registers",
    "encoder_decoder",
    "siglip",
    "vit_mae",
)
# Python of torch that is only for its own tests and for building extensions.
TORCH_UNUSED = ("torch.utils.benchmark", "torch.utils.tensorboard", "torch.utils.model_dump")
READS_SOURCE = re.compile(
    r"install_config_module\(|torch\.jit\.script|@torch\.jit|_overload(_method)?\b"
)
# Folders of torch that hold no Python: tests, headers, tools. The shared-memory helper stays.
# And libraries of its tests, and CUDA's of the machine that freezes, which no build for
# processors opens and which is not ours to pass on.
DROPPED = (
    "torch/test",
    "torch/include",
    "torch/share",
    "torch/bin",
    "torch/lib/cmake",
    "torch/lib/libaoti_custom_ops",
    "torch/lib/libbackend_with_compiler",
    "torch/lib/libjitbackend_test",
    "torch/lib/libtorchbind_test",
    "libcudart",
)
KEPT = ("torch/bin/torch_shm_manager",)


@dataclass(frozen=True)
class Contents:
    """`variant`: "full" or "lite"; `root`: the checkout."""

    variant: str
    root: Path

    @classmethod
    def of(cls, variant: str, root: Path) -> Contents:
        if variant not in ("full", "lite"):
            raise SystemExit(f"SIDECAR_VARIANT is {variant!r}; it can be full or lite.")
        return cls(variant, root)

    @property
    def full(self) -> bool:
        return self.variant == "full"

    @property
    def name(self) -> str:
        """Of the folder in dist/."""
        return "lora-sidecar" if self.full else "lora-sidecar-lite"

    def hidden_imports(self) -> list[str]:
        """Every module of ours: many are imported by name, when they are needed."""
        modules = (module_of(path.relative_to(self.root)) for path in self._sources())
        return sorted(name for name in modules if self.full or not name.startswith(DIFFUSION))

    def _sources(self) -> Iterable[Path]:
        return (self.root / "sidecar").rglob("*.py")

    def excludes(self) -> list[str]:
        if self.full:
            return [*NEVER, *TORCH_UNUSED, *_other_models()]
        return [*NEVER, *LITE_NEVER, *TORCH_AND_COMPANY, *DIFFUSION]

    def metadata(self) -> list[tuple[str, bool]]:
        """Distributions whose version is asked for at run time; True: and of what they need."""
        named = [(name, False) for name in VERSIONS]
        return named + [(name, True) for name in TRAINING] if self.full else named

    def datas(self) -> list[tuple[str, str]]:
        """Data files of ours: (where it lies, the folder it goes to)."""
        found = [
            (str(path), str(path.parent.relative_to(self.root)))
            for path in (self.root / "sidecar").rglob("*")
            if path.is_file() and path.suffix not in (".py", ".pyc") and self._wanted(path)
        ]
        if not self.full:
            return found
        styles = [(str(path), "sidecar/assets/loras") for path in (self.root / "loras").iterdir()]
        return found + _torch_sources() + _model_sources() + styles

    def _wanted(self, path: Path) -> bool:
        """The lite variant has no starter model to draw with, and needs no vocabulary."""
        place = path.relative_to(self.root / "sidecar").parts
        return self.full or place[:2] not in (("assets", "starter"), ("assets", "clip"))

    def collection_modes(self) -> dict[str, str]:
        """Byte code in the archive. Torch's hook would add the source of everything."""
        return {"torch": "pyz", "transformers": "pyz"} if self.full else {}

    def kept(self, entries: Iterable[Entry]) -> list[Entry]:
        """Without what is never opened."""
        return [entry for entry in entries if not _dropped(entry[0])]


def _torch_sources() -> list[tuple[str, str]]:
    """Modules that torch reads the source of when they are imported."""
    folder = _folder("torch")
    wanted = (path for path in folder.rglob("*.py") if READS_SOURCE.search(path.read_text("utf-8")))
    return [_beside_its_module(path, folder) for path in wanted]


def _model_sources() -> list[tuple[str, str]]:
    folder = _folder("transformers")
    models = folder / "models"
    wanted = (path for name in MODELS for path in (models / name).glob("*.py"))
    first = (folder / "__init__.py", models / "__init__.py")
    return [_beside_its_module(path, folder) for path in (*first, *wanted)]


def _other_models() -> list[str]:
    folders = (path for path in (_folder("transformers") / "models").iterdir() if path.is_dir())
    return [f"transformers.models.{f.name}" for f in folders if f.name not in MODELS]


def _beside_its_module(path: Path, package: Path) -> tuple[str, str]:
    return str(path), str(path.parent.relative_to(package.parent))


def _folder(package: str) -> Path:
    """Where it is installed; it is not imported."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _dropped(place: str) -> bool:
    path = PurePath(place).as_posix()
    return path.startswith(DROPPED) and not path.startswith(KEPT)


def module_of(path: Path) -> str:
    """`sidecar/cli/main.py` is `sidecar.cli.main`."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
