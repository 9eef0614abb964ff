"""Refuses tracked files that name paths of a machine.

The paths are those of the machine this runs on (checkout, home, Python, pip's own settings) and
home folders in general, so nobody's folders get into the repository by accident.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOMES = (
    rb"/home/[a-z_][\w.-]*/",
    rb"/Users/[A-Za-z][\w.-]*/",
    rb"[A-Za-z]:\\\\?Users\\\\?[A-Za-z]",
)


def pip_places() -> set[str]:
    """Folders that this machine's pip is told to look into."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    return {
        path for path in re.findall(r"(/[^\s'\"]+)", listed.stdout) if not path.startswith("//")
    }


def forbidden() -> re.Pattern[bytes]:
    """A pattern for every path that must not stand in a tracked file."""
    places = {str(ROOT), str(Path.home()), sys.base_prefix} | pip_places()
    if ROOT.parent != Path(ROOT.anchor):
        places.add(str(ROOT.parent))
    exact = (rb"(?<![\w.\-/])" + re.escape(place).encode() + rb"(?=/)" for place in places)
    whole = (re.escape(place).encode() for place in places if place.count("/") > 1)
    return re.compile(b"|".join((*exact, *whole, *HOMES)))


def tracked_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            yield path


def main() -> int:
    pattern = forbidden()
    found = [
        f"{path.relative_to(ROOT)}: {match.group().decode(errors='replace')}"
        for path in tracked_files()
        for match in pattern.finditer(path.read_bytes())
    ]
    for line in found:
        print(line)
    print(
        "These files name paths of a machine; write them without."
        if found
        else "No tracked file names a path of a machine."
    )
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
