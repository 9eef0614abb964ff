"""Writes requirements.lock: an exact pin for everything the project needs, with all extras.

The pins are what is installed at present, and nothing that is installed besides. Local version
suffixes (a build of torch for one kind of device) are left out, so that pip may choose the build
that suits the machine; packages that carry GPU libraries are that build's business, not ours.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = "lora-sidecar"
EXTRAS = ("bench", "dev", "freeze", "train")
LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
HEADER = """\
# Every package that LoRA Sidecar, its tests and its benchmarks need, pinned.
# Written by `make lock` from a tested environment; install with `pip install -r`.
"""


def needed(name: str, extras: frozenset[str], found: dict[str, str]) -> None:
    """Adds to `found` (name -> version) what the distribution needs, itself left out."""
    for line in distribution(name).requires or []:
        requirement = Requirement(line)
        if requirement.marker and not any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}
        ):
            continue
        known = canonicalize_name(requirement.name)
        seen = known in found
        found[known] = installed_version(requirement.name)
        if not seen or requirement.extras:
            needed(requirement.name, frozenset(requirement.extras), found)


def installed_version(name: str) -> str:
    try:
        return Version(distribution(name).version).public
    except PackageNotFoundError as exc:
        raise SystemExit(f"{name} is not installed; run make setup first.") from exc


def main() -> None:
    found: dict[str, str] = {}
    needed(PROJECT, frozenset(EXTRAS), found)
    pins = "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))
    LOCK.write_text(HEADER + pins, encoding="utf-8")
    print(f"{LOCK.name}: {len(found)} packages")


if __name__ == "__main__":
    main()
