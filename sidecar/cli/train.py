"""`lora-sidecar train`: a folder of pictures becomes a style LoRA."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from sidecar.cli.terminal import ProgressLine, say
from sidecar.disk_faults import disk_fault
from sidecar.engine.contract import CancelToken
from sidecar.errors import Cancelled, OutOfMemory, SidecarError
from sidecar.paths import DataFolder, default_data_folder, starter_folder

if TYPE_CHECKING:
    from sidecar.engine.train.trainer import Update

STOPPED = 130
# For libraries that are imported later: no network, and no bars and warnings between our lines.
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
    "TQDM_DISABLE": "1",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", required=True, help="starter, sd15 or FILE.json")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with target/, source/, holdout/, negative/"
    )
    parser.add_argument("--out", required=True, help="a name (into the data folder) or a path")
    parser.add_argument("--model", default="starter", help="starter, or a diffusers folder")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--init", type=Path, help="a LoRA file to begin from")
    parser.add_argument("--stage-samples", type=Path, help="folder for a sheet after each stage")
    parser.add_argument("--preview", metavar="PROMPT", help="what the card's picture shows")
    parser.add_argument("--threads", type=int, help="processor threads; all when left out")
    parser.add_argument("--data-dir", type=Path, help="the user's data folder, for --out NAME")


def run(args: argparse.Namespace) -> int:
    """0 when the file is there, 130 when it was stopped, 1 when it failed."""
    os.environ.update(QUIET)
    if args.threads:
        os.environ["OMP_NUM_THREADS"] = str(args.threads)
    cancel = CancelToken()

    def stop(_number: int, _frame: FrameType | None) -> None:
        cancel.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        path = _train(args, cancel)
    except Cancelled:
        say("Stopped. The same command with --resume goes on from here.", sys.stderr)
        return STOPPED
    except OutOfMemory as exc:
        say(" ".join(exc.fields["alternatives"]), sys.stderr)
        return 1
    except OSError as exc:
        say(disk_fault(exc, Path(args.out)).message(), sys.stderr)
        return 1
    except SidecarError as exc:
        say(f"{exc.message()} {exc.hint()}", sys.stderr)
        return 1
    say(str(path))
    return 0


def out_path(out: str, data_dir: Path | None) -> Path:
    """Where the file goes: a bare name lies in the LoRA folder of the user's data."""
    name = out if out.endswith(".safetensors") else f"{out}.safetensors"
    if Path(name).name == name:
        return DataFolder(data_dir or default_data_folder()).loras / name
    return Path(name).resolve()


def _train(args: argparse.Namespace, cancel: CancelToken) -> Path:
    from sidecar.engine.train.job import TrainingJob, train

    starter = args.model == "starter"
    job = TrainingJob(
        preset=args.preset,
        data=args.data.resolve(),
        out=out_path(args.out, args.data_dir),
        model=starter_folder() if starter else Path(args.model).resolve(),
        model_name=args.model if starter else Path(args.model).name,
        resume=args.resume,
        sheets=args.stage_samples,
        preview=args.preview,
        threads=args.threads,
        init=args.init,
    )
    return train(job, _shown_on(ProgressLine()), cancel)


def _shown_on(progress: ProgressLine) -> Callable[[Update], None]:
    """Updates as a bar with what is left to wait; sentences on lines of their own."""

    def show(update: Update) -> None:
        if update.said:
            progress.clear()
            say(update.said, sys.stderr)
            return
        if update.phase == "encode":
            progress.show(f"encoding pictures: {update.done} of {update.total}", 0.0)
            return
        words = f"{update.phase}: step {update.done} of {update.total}"
        if update.loss is not None:
            words += f", loss {update.loss:.4f}"
        if update.eta is not None:
            words += f", {_duration(update.eta)} left"
        progress.show(words, update.done / update.total)

    return show


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 2:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
