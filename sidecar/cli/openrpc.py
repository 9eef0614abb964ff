"""`lora-sidecar openrpc`: the OpenRPC document on standard output."""

from __future__ import annotations

import argparse
import json

from sidecar.cli.terminal import say
from sidecar.protocol.openrpc import document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--compact", action="store_true", help="one line, no indentation")


def run(args: argparse.Namespace) -> int:
    say(json.dumps(document(), ensure_ascii=False, indent=None if args.compact else 2))
    return 0
