"""What the frozen program is made of: a software bill of materials, and every licence text.

The bill is CycloneDX 1.6 (https://cyclonedx.org/specification/overview/).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

from cyclonedx.builder.this import this_component
from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

BILL, LICENSES = "sbom.cdx.json", "THIRD-PARTY-LICENSES.txt"
ALWAYS = ("pyinstaller",)
"""Its bootloader is in every frozen program."""
OURS = "lora-sidecar"
MARKS = ("LICENSE", "LICENCE", "NOTICE", "COPYING")


def distributions(modules: Iterable[str]) -> list[Distribution]:
    """The installed distributions that those modules came from, by name; our own left out."""
    tops = {name.partition(".")[0] for name in modules}
    owners = packages_distributions()
    names = {owner for top in tops for owner in owners.get(top, ())} | set(ALWAYS)
    return [distribution(name) for name in sorted(names, key=str.lower) if name != OURS]


def write(folder: Path, version: str, found: list[Distribution]) -> list[tuple[str, str]]:
    """Both files, as PyInstaller takes data files: (where it lies, the folder it goes to)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BILL).write_text(bill(version, found), encoding="utf-8")
    (folder / LICENSES).write_text(licenses(found), encoding="utf-8")
    return [(str(folder / name), ".") for name in (BILL, LICENSES)]


def bill(version: str, found: list[Distribution]) -> str:
    bom = Bom()
    bom.metadata.tools.components.add(this_component())
    bom.metadata.component = Component(
        name=OURS, version=version, type=ComponentType.APPLICATION, bom_ref=OURS
    )
    python = Component(name="Python", version=sys.version.split()[0], type=ComponentType.PLATFORM)
    parts = [python, *map(_component, found)]
    for part in parts:
        bom.components.add(part)
    bom.register_dependency(bom.metadata.component, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1)


def _component(found: Distribution) -> Component:
    name, public = found.metadata["Name"], found.version.partition("+")[0]
    told = found.metadata.get("License-Expression") or found.metadata.get("License") or ""
    line = told.strip().splitlines()[0] if told.strip() else ""
    return Component(
        name=name,
        version=found.version,
        purl=PackageURL(type="pypi", name=name.lower(), version=public),
        licenses=[LicenseFactory().make_from_string(line)] if line else (),
    )


def licenses(found: list[Distribution]) -> str:
    """Python's licence first, then each distribution with every text that it brings."""
    python = Path(sys.base_prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    own = [
        path
        for path in (python / "LICENSE.txt", Path(sys.base_prefix, "LICENSE.txt"))
        if path.is_file()
    ]
    parts = [_chapter(f"Python {sys.version.split()[0]}", own)]
    for one in found:
        texts = [
            Path(str(file.locate()))
            for file in one.files or []
            if any(mark in file.name.upper() for mark in MARKS) and file.suffix != ".py"
        ]
        parts.append(_chapter(f"{one.metadata['Name']} {one.version}", texts))
    return "\n\n".join(parts) + "\n"


def _chapter(title: str, texts: Iterable[Path]) -> str:
    rule = "=" * 78
    bodies = [path.read_text(encoding="utf-8", errors="replace").strip() for path in texts]
    return "\n\n".join(
        [f"{rule}\n{title}\n{rule}", *(bodies or ["(its package has no licence text)"])]
    )
