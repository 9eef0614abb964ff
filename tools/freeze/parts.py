"""One part of the frozen program, as the bill and the licences have it; and Python's own."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from cyclonedx.model.component import ComponentType
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
TEXTS = Path(__file__).parent / "texts"
"""Licence texts for where neither a package nor the system brings one."""
MARKS = ("LICENSE", "LICENCE", "NOTICE", "COPYING")
SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "PSFL": "PSF-2.0",
    "GPLv2-or-later with a special exception which allows to use PyInstaller to build and "
    "distribute non-free programs (including commercial ones)": (
        "GPL-2.0-or-later WITH Bootloader-exception"
    ),
}
"""What packages call their licences, in place of the identifiers of SPDX."""


@dataclass(frozen=True)
class Part:
    """`license`: an SPDX expression, or the words of its maker.

    `places`: its libraries or networks in the folder of the frozen program.
    """

    name: str
    version: str | None
    license: str
    texts: tuple[str, ...]
    places: tuple[str, ...] = ()
    kind: ComponentType = ComponentType.LIBRARY
    purl: PackageURL | None = None

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name


def python(places: Iterable[str]) -> Part:
    version = sys.version.split()[0]
    library = Path(sys.base_prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    named = (library / "LICENSE.txt", Path(sys.base_prefix, "LICENSE.txt"))
    texts = tuple(read(path) for path in named if path.is_file())
    if not texts:
        raise SystemExit(f"Python's LICENSE.txt is neither {named[0]} nor {named[1]}.")
    return Part("Python", version, "PSF-2.0", texts, tuple(places), ComponentType.PLATFORM)


def packaged(found: Distribution, places: Iterable[str]) -> Part:
    """A Python distribution, with every text that it brings."""
    name, version = found.metadata["Name"], found.version
    texts = tuple(
        read(Path(str(file.locate())))
        for file in found.files or []
        if any(mark in file.name.upper() for mark in MARKS) and file.suffix != ".py"
    )
    told = license_of(found)
    public = version.partition("+")[0]
    return Part(
        name=name,
        version=version,
        license=told,
        texts=texts or (standing_in(told, name),),
        places=tuple(places),
        purl=PackageURL(type="pypi", name=name.lower(), version=public),
    )


def license_of(found: Distribution) -> str:
    """By what its metadata say, the exact before the vague."""
    told = found.metadata.get("License-Expression") or found.metadata.get("License") or ""
    classes = found.metadata.get_all("Classifier") or []
    line = (told.strip().splitlines() or [""])[0] or next(
        (name.rpartition(" :: ")[2] for name in classes if name.startswith("License :: ")), ""
    )
    return SPDX.get(line, line)


def standing_in(license: str, name: str) -> str:
    """The text for a part that brings none, by its name or its licence; else the freeze ends."""
    places = [TEXTS / f"{name}.txt", TEXTS / f"{license}.txt"]
    if license == "Apache-2.0":
        places.append(ROOT / "LICENSE")
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        raise SystemExit(f"{name} brings no licence text ({license}). Put one at {places[0]}.")
    return read(found)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip()
