"""The libraries that PyInstaller collects from the system: whose each of them is.

Every library of the frozen program belongs to a package, to Python, or to a row of `KNOWN`. One
that belongs to none ends the freeze, so that nothing is passed on without its licence.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.metadata import Distribution
from pathlib import Path, PurePath

from packageurl import PackageURL

from tools.freeze.parts import Part, packaged, python, read, standing_in

Entry = tuple[str, str, str]
"""Where it goes, where it lies, and its type, as PyInstaller has it."""


@dataclass(frozen=True)
class Known:
    """`patterns`: of file names. `in_full`: licences that the text only refers to."""

    name: str
    license: str
    patterns: tuple[str, ...]
    in_full: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in self.patterns)


GCC = "GPL-3.0-or-later WITH GCC-exception-3.1"
KNOWN = (
    Known("OpenSSL", "Apache-2.0", ("libssl[.-]*", "libcrypto[.-]*"), ("Apache-2.0",)),
    Known("libffi", "MIT", ("libffi[.-]*",)),
    Known("SQLite", "blessing", ("libsqlite3[.-]*", "sqlite3.dll")),
    Known("XZ Utils", "public domain; 0BSD since 5.6", ("liblzma.so*", "liblzma.*dylib")),
    Known("bzip2", "bzip2-1.0.6", ("libbz2.so*", "libbz2.*dylib")),
    Known("zlib", "Zlib", ("libz.so*", "libz.*dylib", "zlib1.dll")),
    Known("Expat", "MIT", ("libexpat[.-]*",)),
    Known("mpdecimal", "BSD-2-Clause", ("libmpdec.so*",)),
    Known("libgcc", GCC, ("libgcc_s.so*",), ("GPL-3",)),
    Known("libstdc++", GCC, ("libstdc++.so*",), ("GPL-3",)),
    Known("libgomp", GCC, ("libgomp.so*",), ("GPL-3",)),
)
PYTHONS = ("libpython3*", "python3*.dll", "Python")
TOLD = "${Package} ${Version} ${Architecture}"
COMMON, DOCUMENTS = Path("/usr/share/common-licenses"), Path("/usr/share/doc")


@dataclass(frozen=True)
class Origin:
    """The package of the system that a library comes from, where that can be told."""

    package: str
    version: str
    architecture: str

    @property
    def text(self) -> Path:
        return DOCUMENTS / self.package / "copyright"

    @property
    def purl(self) -> PackageURL:
        vendor = platform.freedesktop_os_release()["ID"]
        return PackageURL(
            type="deb",
            namespace=vendor,
            name=self.package,
            version=self.version,
            qualifiers={"arch": self.architecture},
        )


def parts(binaries: Iterable[Entry], found: Sequence[Distribution]) -> list[Part]:
    """Python, the packages and the system's libraries, with the places of all the libraries.

    Ends the freeze with a sentence when it is not known whose a library is.
    """
    owners = _owners(found)
    pythons: list[str] = []
    packages: dict[str, list[str]] = {one.name: [] for one in found}
    systems: dict[tuple[Known, Origin | None], list[str]] = {}
    for place, source, kind in binaries:
        if kind == "SYMLINK":
            continue
        owner, row = owners.get(Path(source).resolve()), row_of(PurePath(place).name)
        if row is not None:
            origin = None if owner else origin_of(Path(source))
            systems.setdefault((row, origin), []).append(PurePath(place).as_posix())
        elif owner is not None:
            packages[owner].append(PurePath(place).as_posix())
        elif _is_pythons(Path(source)):
            pythons.append(PurePath(place).as_posix())
        else:
            raise SystemExit(unknown(place, source))
    return [
        python(sorted(pythons)),
        *(packaged(one, sorted(packages[one.name])) for one in found),
        *(_system(row, origin, sorted(places)) for (row, origin), places in systems.items()),
    ]


def unknown(place: str, source: str) -> str:
    return (
        f"{place} (from {source}) would be in the frozen program, and nothing says whose it is. "
        "Add a row with its licence to tools/freeze/libraries.py, or leave it out in contents.py."
    )


def row_of(name: str) -> Known | None:
    return next((row for row in KNOWN if row.has(name)), None)


def _owners(found: Sequence[Distribution]) -> dict[Path, str]:
    """The distribution of every installed file."""
    return {
        Path(str(file.locate())).resolve(): one.name for one in found for file in one.files or []
    }


def _is_pythons(source: Path) -> bool:
    """On Windows and in the installer for macOS, Python's licence speaks of all that is in it."""
    if any(fnmatch(source.name, pattern) for pattern in PYTHONS):
        return True
    if sys.platform != "linux":
        return source.resolve().is_relative_to(Path(sys.base_prefix).resolve())
    return source.parent.name == "lib-dynload"


def origin_of(source: Path) -> Origin | None:
    """By the package manager of Debian and its kin; None elsewhere, and for what is not its."""
    if shutil.which("dpkg-query") is None:
        return None
    for path in (source, source.resolve()):
        for name in (str(path), str(path).removeprefix("/usr"), f"/usr{path}"):
            owner = _asked("--search", name).partition(": ")[0]
            if owner:
                told = _asked(
                    "--show", "--showformat=${Package}\t${Version}\t${Architecture}", owner
                )
                return Origin(*told.split("\t"))
    return None


def _asked(*words: str) -> str:
    done = subprocess.run(["dpkg-query", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _system(row: Known, origin: Origin | None, places: Sequence[str]) -> Part:
    text = _text(row, origin)
    full = (_in_full(name, row) for name in row.in_full)
    return Part(
        name=row.name,
        version=origin.version if origin else None,
        license=row.license,
        texts=(text, *(one for one in full if one != text)),
        places=tuple(places),
        purl=origin.purl if origin else None,
    )


def _text(row: Known, origin: Origin | None) -> str:
    """The system's; of a library that a package brings, too, for the same makers publish both."""
    if origin is not None and origin.text.is_file():
        return read(origin.text)
    named = sorted(DOCUMENTS.glob("*/copyright"))
    beside = (path for path in named if any(_names(path, pattern) for pattern in row.patterns))
    found = next(beside, None)
    return read(found) if found else standing_in(row.license, row.name)


def _names(copyright: Path, pattern: str) -> bool:
    """Whether the folder of the text is called as the library is: libgomp1 for libgomp.so*."""
    stem = re.split(r"[.\[*]", pattern)[0].replace("_", "-")
    return re.fullmatch(rf"{re.escape(stem)}-?[0-9.]*", copyright.parent.name) is not None


def _in_full(name: str, row: Known) -> str:
    common = COMMON / name
    return read(common) if common.is_file() else standing_in(name, row.name)
