"""`lora-sidecar generate`: one request from the command line, through a sidecar of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

from sidecar.cli.terminal import ProgressLine, say
from sidecar.client import ClientFault, Sidecar, picture_bytes
from sidecar.client.pictures import PictureOptions
from sidecar.errors import SidecarError
from sidecar.protocol.names import SamplerName
from sidecar.protocol.pictures import ProgressEvent

STOPPED = 130
OPTIONS = (
    "negative_prompt",
    "width",
    "height",
    "steps",
    "guidance_scale",
    "sampler",
    "seed",
    "init_image",
    "strength",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", help="what to draw")
    parser.add_argument("--out", type=Path, help="file to write; default: the data folder only")
    parser.add_argument(
        "--model", default="starter", help="a name, or an absolute path; default: %(default)s"
    )
    parser.add_argument(
        "--lora",
        action="append",
        default=[],
        help="a style by its name; several: --lora A --lora B",
    )
    parser.add_argument(
        "--alpha",
        action="append",
        default=[],
        type=float,
        help="its strength, one for each; default: 0.7",
    )
    parser.add_argument("--negative-prompt", help="what to keep out")
    parser.add_argument("--width", type=int, help="pixels")
    parser.add_argument("--height", type=int, help="pixels")
    parser.add_argument("--steps", type=int, help="default: what suits the model, as all these")
    parser.add_argument("--guidance-scale", type=float, help="how closely the prompt is followed")
    parser.add_argument("--sampler", choices=get_args(SamplerName))
    parser.add_argument("--seed", type=int, help="default: drawn, and told")
    parser.add_argument("--count", type=int, default=1, help="pictures, each of the next seed")
    parser.add_argument("--init-image", help="a picture to start from")
    parser.add_argument("--strength", type=float, help="of the change, with --init-image")
    parser.add_argument("--data-dir", type=Path, help="where history and pictures are kept")
    parser.add_argument(
        "--engine", choices=("diffusion", "fake"), default="diffusion", help="fake: for tests"
    )


def run(args: argparse.Namespace) -> int:
    if len(args.alpha) not in (0, len(args.lora)):
        say("Give one --alpha for each --lora, or none.", sys.stderr)
        return 2
    progress = ProgressLine()
    try:
        with Sidecar.spawn(args.data_dir, arguments=("--engine", args.engine)) as sidecar:
            draw(sidecar, args, progress)
    except (SidecarError, ClientFault) as exc:
        progress.clear()
        say(str(exc), sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.", sys.stderr)
        return STOPPED
    return 0


def draw(sidecar: Sidecar, args: argparse.Namespace, progress: ProgressLine) -> None:
    """Load, switch, draw, write."""
    progress.show("loading", 0)
    sidecar.load_model(args.model)
    if args.lora:
        alphas = args.alpha or [0.7] * len(args.lora)
        sidecar.switch_loras(dict(zip(args.lora, alphas, strict=True)))

    def heard(event: ProgressEvent) -> None:
        progress.show(event.phase, event.percent / 100)

    result = sidecar.generate(args.prompt, count=args.count, on_progress=heard, **options_of(args))
    progress.clear()
    for index, image in enumerate(result.images):
        path = image.path or ""
        if args.out is not None:
            path = numbered(args.out, index, len(result.images))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture_bytes(image))
        say(f"{path}  seed {image.seed}")


def options_of(args: argparse.Namespace) -> PictureOptions:
    """What was given on the command line."""
    given = {name: getattr(args, name) for name in OPTIONS}
    return PictureOptions(**{name: value for name, value in given.items() if value is not None})


def numbered(path: Path, index: int, count: int) -> Path:
    """apple.png, or apple-1.png, apple-2.png, … for several."""
    return path if count == 1 else path.with_stem(f"{path.stem}-{index + 1}")
