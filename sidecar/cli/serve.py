"""`lora-sidecar serve`: the front. Says `ready` and spawns the engine before it imports more."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import FrameType

from sidecar import __version__
from sidecar.cli.streams import fill_gaps
from sidecar.engine.process import engine_command, spawn
from sidecar.paths import DataFolder, default_data_folder
from sidecar.protocol import PROTOCOL_VERSION
from sidecar.rpc.stdio import claim
from sidecar.settings import Settings

READY = (
    '{"jsonrpc":"2.0","method":"ready","params":{"server":{"name":"lora-sidecar","version":"%s"},'
    '"protocol_version":%d,"pid":%d}}'
)

LOG_LEVELS = ("debug", "info", "warning", "error")
ENGINES = ("diffusion", "lite", "fake")
CHECKS = {
    "nsfw": ("off", "nudity in finished pictures"),
    "codes": ("warn", "QR codes and bar codes in them"),
    "text": ("off", "writing and web addresses in them"),
}
"""What costs less than a twentieth of drawing a picture is on from the start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data-dir", type=Path, help="history, pictures, own models and LoRAs are kept here")
    add("--models", type=Path, action="append", default=[], help="another folder of models")
    add("--loras", type=Path, action="append", default=[], help="another folder of LoRAs")
    add("--model", help="load this model at once, for example starter")
    add("--finish", action="store_true", help="when stdin ends, answer every request first")
    add("--engine", choices=ENGINES, default="diffusion", help="lite: without torch")
    add("--threads", type=int, help="computing threads; default: one per core")
    add(
        "--history-keep",
        type=int,
        default=50,
        help="pictures kept besides pinned ones; default: %(default)s",
    )
    add("--queue-limit", type=int, default=256, help="requests that may wait; default: %(default)s")
    add(
        "--cancel-deadline",
        type=float,
        default=10.0,
        help="seconds until an engine that does not stop is killed; default: %(default)s",
    )
    add(
        "--max-message-bytes",
        type=int,
        default=64 * 1024 * 1024,
        help="of one request; default: 64 MiB",
    )
    add(
        "--preview-cache-bytes",
        type=int,
        default=32 * 1024 * 1024,
        help="of previews that are kept; default: 32 MiB",
    )
    add(
        "--fusion-limit",
        type=float,
        default=0.3,
        help="summed alphas of one conflict group; default: %(default)s",
    )
    for check, (usual, what) in CHECKS.items():
        add(
            f"--check-{check}",
            choices=("off", "warn", "block"),
            default=usual,
            help=f"{what}; default: {usual}",
        )
    add(
        "--nsfw-threshold",
        type=float,
        default=0.8,
        help="0..1; what scores more is a finding; default: %(default)s",
    )
    add(
        "--log-format",
        choices=("json", "text"),
        default="json",
        help="of stderr; default: %(default)s",
    )
    add("--log-level", choices=LOG_LEVELS, default="info", help="default: %(default)s")


def settings_from(args: argparse.Namespace) -> Settings:
    data = args.data_dir.absolute() if args.data_dir else default_data_folder()
    return Settings(
        data=DataFolder(data),
        model_folders=tuple(folder.absolute() for folder in args.models),
        lora_folders=tuple(folder.absolute() for folder in args.loras),
        engine=args.engine,
        threads=args.threads,
        history_keep=args.history_keep,
        queue_limit=args.queue_limit,
        cancel_deadline=args.cancel_deadline,
        max_message_bytes=args.max_message_bytes,
        preview_cache_bytes=args.preview_cache_bytes,
        fusion_limit=args.fusion_limit,
        check_nsfw=args.check_nsfw,
        check_codes=args.check_codes,
        check_text=args.check_text,
        nsfw_threshold=args.nsfw_threshold,
        log_format=args.log_format,
        log_level=args.log_level,
        preload_model=args.model,
        finish=args.finish,
    )


def run(args: argparse.Namespace) -> int:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # until there is a session, which takes its leave
    try:
        wire = claim()
    except OSError as exc:
        fill_gaps()
        sys.stderr.write(f"serve needs a stdin and a stdout: {exc}\n")
        return 2
    gc.disable()  # until the imports are done: there is nothing to collect in them
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else it scans all packages
    ready = (READY % (__version__, PROTOCOL_VERSION, os.getpid())).encode()
    try:
        os.write(wire.write_fd, ready + b"\r\n")
    except OSError:
        return 0  # nobody listens any more
    settings = settings_from(args)
    command = settings.engine_command or engine_command(
        settings.engine,
        settings.threads,
        settings.log_level,
        settings.log_format,
        settings.data.memory_figures,
    )
    engine = _spawned(command)
    import_module("sidecar.rpc.logs").configure(settings.log_level, settings.log_format)
    greeting = import_module("sidecar.rpc.greeting").Greeting(settings, wire, ready)
    greeting.start()
    session = import_module("sidecar.rpc.session").Session(settings, greeting, command, engine)
    return session.run()


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing has been begun; an engine ends with its input."""
    os._exit(0)


def _spawned(command: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """The engine, started before the imports; None when that failed, and the link will try."""
    try:
        return spawn(command)
    except OSError:
        return None
