"""`lora-sidecar engine`: the process that draws. The front starts it; nobody else needs to."""

from __future__ import annotations

import argparse
import signal
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.engine.allocator import keep_freed_blocks
from sidecar.engine.process import die_with_parent
from sidecar.rpc.stdio import claim

if TYPE_CHECKING:
    from sidecar.engine.contract import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", choices=("diffusion", "lite", "fake"), default="diffusion")
    parser.add_argument("--threads", type=int, help="computing threads; default: one per core")
    parser.add_argument("--parent", type=int, help="end when this process is gone")
    parser.add_argument("--remembered", type=Path, help="what runs took of memory is kept there")
    parser.add_argument("--log-format", choices=("json", "text"), default="json")
    parser.add_argument("--log-level", default="info")


def run(args: argparse.Namespace) -> int:
    if args.parent is not None:
        die_with_parent(args.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the front's business
    keep_freed_blocks()
    wire = claim()
    import_module("sidecar.rpc.logs").configure(args.log_level, args.log_format)
    host = import_module("sidecar.engine.host").Host
    make = partial(make_engine, args.kind, args.threads, args.remembered)
    return host(make, wire.read_fd, wire.write_fd).run()


def make_engine(kind: str, threads: int | None, remembered: Path | None = None) -> Engine:
    """The engine of that kind; only its own modules are imported. Without torch: a lite one."""
    if kind == "fake":
        return import_module("sidecar.engine.fake").FakeEngine()
    complete = import_module("sidecar.engine.complete").CompleteEngine
    beside = import_module("sidecar.engine.memory.beside").remembering(remembered, threads)
    if kind == "diffusion" and find_spec("torch") is not None:
        module = import_module("sidecar.engine.diffusion.engine")
        drawing = module.DiffusionEngine(threads=threads, remembered=remembered, beside=beside)
        return complete(drawing, threads, beside)
    return complete(import_module("sidecar.engine.no_drawing").NoDrawing(), threads, beside)
