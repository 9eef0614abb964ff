"""What the package imports is what it declares: nothing missing, nothing for show."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WITH_PYDANTIC = {"pydantic-core"}
DISTRIBUTIONS = packages_distributions()
TRAINING = ROOT / "sidecar" / "engine" / "train"


def declared(requirements: list[str]) -> set[str]:
    return {canonicalize_name(re.split(r"[\[<>=;! ]", line)[0]) for line in requirements}


def imported_by(path: Path) -> Iterator[str]:
    """The distributions whose modules a file imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top != "sidecar":
                yield canonicalize_name(DISTRIBUTIONS[top][0])


def imported(training: bool) -> set[str]:
    paths = (ROOT / "sidecar").rglob("*.py")
    return {
        name
        for path in paths
        if path.is_relative_to(TRAINING) == training
        for name in imported_by(path)
    }


def test_every_import_is_a_declared_dependency() -> None:
    core = declared(PROJECT["dependencies"]) | WITH_PYDANTIC
    assert imported(training=False) <= core
    extra = declared(PROJECT["optional-dependencies"]["train"])
    assert imported(training=True) <= core | extra


def test_every_declared_dependency_is_imported() -> None:
    assert declared(PROJECT["dependencies"]) <= imported(training=False)


def test_the_lock_pins_every_requirement_exactly_and_names_no_build() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9A-Za-z.]*", pin) for pin in pins)
    names = {pin.partition("==")[0] for pin in pins}
    extras = PROJECT["optional-dependencies"]
    wanted = declared(PROJECT["dependencies"]).union(
        *(declared(extras[name]) for name in ("train", "bench", "dev"))
    )
    assert wanted <= names
    assert not any(name.startswith(("nvidia", "cuda", "triton")) for name in names)
