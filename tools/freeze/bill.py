"""What the frozen program is made of: a software bill of materials, and every licence text.

The bill is CycloneDX 1.6 (https://cyclonedx.org/specification/overview/). Where a part has
libraries or networks, its evidence says where they lie in the folder `_internal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

from cyclonedx.builder.this import this_component
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.output.json import JsonV1Dot6

from tools.freeze.parts import Part

BILL, LICENSES = "sbom.cdx.json", "THIRD-PARTY-LICENSES.txt"
ALWAYS = ("pyinstaller",)
"""Its bootloader is in every frozen program."""
OURS = "lora-sidecar"
RULE = "#" * 78


def distributions(modules: Iterable[str]) -> list[Distribution]:
    """The installed distributions that those modules came from, by name; our own left out."""
    tops = {name.partition(".")[0] for name in modules}
    owners = packages_distributions()
    names = {owner for top in tops for owner in owners.get(top, ())} | set(ALWAYS)
    return [distribution(name) for name in sorted(names, key=str.lower) if name != OURS]


def write(folder: Path, version: str, parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Both files, as PyInstaller takes data files: (where it lies, the folder it goes to)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BILL).write_text(bill(version, parts), encoding="utf-8")
    (folder / LICENSES).write_text(licenses(parts), encoding="utf-8")
    return [(str(folder / name), ".") for name in (BILL, LICENSES)]


def bill(version: str, parts: Sequence[Part]) -> str:
    bom = Bom()
    bom.metadata.tools.components.add(this_component())
    bom.metadata.component = Component(
        name=OURS, version=version, type=ComponentType.APPLICATION, bom_ref=OURS
    )
    components = [_component(part) for part in parts]
    for component in components:
        bom.components.add(component)
    bom.register_dependency(bom.metadata.component, components)
    return JsonV1Dot6(bom).output_as_string(indent=1)


def _component(part: Part) -> Component:
    seen = [Occurrence(location=place) for place in part.places]
    return Component(
        name=part.name,
        version=part.version,
        type=part.kind,
        purl=part.purl,
        licenses=[LicenseFactory().make_from_string(part.license)] if part.license else (),
        evidence=ComponentEvidence(occurrences=seen) if seen else None,
    )


def licenses(parts: Iterable[Part]) -> str:
    """A chapter for each part. A text that is there already is not repeated but referred to."""
    first: dict[str, str] = {}
    return "\n\n".join(chapter(part, first) for part in parts) + "\n"


def chapter(part: Part, first: dict[str, str]) -> str:
    """`first`: the chapter in which each long text stood first; it is added to."""
    bodies: list[str] = []
    for text in dict.fromkeys(part.texts):
        said = first.setdefault(text, part.title)
        bodies.append(text if said == part.title else f"(the same text as of {said}, above)")
    return "\n\n".join([f"{RULE}\n{part.title}\n{RULE}", *bodies])
