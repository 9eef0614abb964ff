"""`lora-sidecar upscale`: a picture enlarged from the command line, by a sidecar of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sidecar.cli.terminal import ProgressLine, say
from sidecar.client import ClientFault, Sidecar, picture_bytes
from sidecar.errors import SidecarError
from sidecar.protocol.pictures import ProgressEvent

STOPPED = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", type=Path, help="a PNG, JPEG or WebP file")
    parser.add_argument("--scale", type=int, choices=(2, 3, 4), default=2, help="times each side")
    parser.add_argument("--out", type=Path, help="PNG to write; default: the data folder only")
    parser.add_argument("--model", help="a bundled network, or an .onnx file of a models folder")
    parser.add_argument("--models", type=Path, action="append", default=[], help="such a folder")
    parser.add_argument("--data-dir", type=Path, help="where history and pictures are kept")
    parser.add_argument(
        "--engine", choices=("diffusion", "lite", "fake"), default="lite", help="fake: for tests"
    )


def run(args: argparse.Namespace) -> int:
    progress = ProgressLine()
    options = ["--engine", args.engine]
    for folder in args.models:
        options += ["--models", str(folder)]
    try:
        with Sidecar.spawn(args.data_dir, arguments=options) as sidecar:
            enlarge(sidecar, args, progress)
    except (SidecarError, ClientFault) as exc:
        progress.clear()
        say(str(exc), sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.", sys.stderr)
        return STOPPED
    return 0


def enlarge(sidecar: Sidecar, args: argparse.Namespace, progress: ProgressLine) -> None:
    def heard(event: ProgressEvent) -> None:
        progress.show(event.phase, event.percent / 100)

    result = sidecar.upscale(args.picture, args.scale, model=args.model, on_progress=heard)
    progress.clear()
    image = result.images[0]
    path = image.path or ""
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_bytes(picture_bytes(image))
        path = args.out
    say(f"{path}  {image.width}×{image.height}  {result.timings.total_ms / 1000:.1f} s")
