"""`lora-sidecar doctor`: what is there, what is missing and what to do. Where bug reports start."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sidecar.cli.checkup import Finding, State, examine
from sidecar.cli.terminal import say
from sidecar.paths import default_data_folder

MARKS: dict[State, str] = {"ok": "✓", "note": "·", "problem": "✗"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", type=Path, help="the folder that the sidecar is used with")
    parser.add_argument("--models", type=Path, action="append", default=[])
    parser.add_argument("--loras", type=Path, action="append", default=[])
    parser.add_argument("--no-drawing", action="store_true", help="do not draw a picture")
    parser.add_argument("--json", action="store_true", help="for programs, and for bug reports")


def run(args: argparse.Namespace) -> int:
    data = (args.data_dir or default_data_folder()).absolute()
    findings: list[Finding] = []
    for finding in examine(data, args.models, args.loras, not args.no_drawing):
        findings.append(finding)
        if not args.json:
            _tell(finding)
    problems = sum(finding.state == "problem" for finding in findings)
    if args.json:
        say(json.dumps([finding.plain() for finding in findings], indent=1, ensure_ascii=False))
    else:
        say(f"\n{_verdict(problems)}")
    return 1 if problems else 0


def _tell(finding: Finding) -> None:
    say(f"{MARKS[finding.state]} {finding.topic:<9}{finding.text}")
    if finding.advice:
        say(f"  {'':<9}→ {finding.advice}")


def _verdict(problems: int) -> str:
    if not problems:
        return "All is well."
    return "One problem." if problems == 1 else f"{problems} problems."
