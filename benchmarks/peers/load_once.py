"""Loads one single-file model in a process of its own; prints its figures as JSON."""

from __future__ import annotations

import json
import resource
import sys

import psutil

from sidecar.engine.contract import CancelToken, ModelSpec
from sidecar.engine.diffusion.engine import DiffusionEngine


def peak() -> int:
    """Of resident memory since the process began, bytes."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def main() -> None:
    engine = DiffusionEngine(threads=1)
    engine.warm_up()
    before = psutil.Process().memory_info().rss
    spec = ModelSpec("bench", sys.argv[1], "sd15")
    loaded = engine.load_model("load", spec, lambda event: None, CancelToken())
    weights = sum(component.bytes for component in loaded.components)
    figures = {"weights": weights, "growth": peak() - before, "ms": loaded.load_ms}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
