"""The `lora-sidecar` command. Each subcommand is a module of this package, imported when used.

A module has `add_arguments(parser)` and `run(args) -> int`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from sidecar import __version__
from sidecar.cli.streams import fill_gaps, speak_utf8

COMMANDS: dict[str, str] = {
    "serve": "listen for JSON-RPC on stdin and answer on stdout",
    "engine": "the drawing process; serve starts it by itself",
    "generate": "draw pictures from the command line",
    "upscale": "enlarge a picture from the command line",
    "demo": "draw a contact sheet of every style through a real sidecar",
    "train": "make a style LoRA from a folder of pictures with captions",
    "doctor": "say what is there, what is missing and what to do",
    "openrpc": "print the OpenRPC document",
}
ON_A_WIRE = ("serve", "engine")
"""They look after their streams themselves."""


def build_parser(chosen: str | None) -> argparse.ArgumentParser:
    """The parser, with the options of only the chosen subcommand (the others are not imported)."""
    parser = argparse.ArgumentParser(prog="lora-sidecar", description="A resident style renderer.")
    parser.add_argument("--version", action="version", version=f"lora-sidecar {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == chosen:
            import_module(f"sidecar.cli.{name}").add_arguments(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = next((w for w in words if w in COMMANDS), None)
    if chosen not in ON_A_WIRE:
        fill_gaps()
    speak_utf8()
    args = build_parser(chosen).parse_args(words)
    return import_module(f"sidecar.cli.{args.command}").run(args)
