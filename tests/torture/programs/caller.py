"""Somebody's app: starts a sidecar and draws one picture after the other, until it is killed.

Usage: caller.py DATA OPTION... (options of `lora-sidecar serve`). Prints a JSON line for what the
history has at the start, and one for each answer, after it came: its pictures with their hashes.
The end of its input ends it.
"""

import hashlib
import json
import os
import sys
import threading
from pathlib import Path

from sidecar.client import Sidecar, SidecarGone

PAGE = 500


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def whole_history(sidecar: Sidecar) -> list[str]:
    ids: list[str] = []
    while len(page := sidecar.history_list(limit=PAGE, offset=len(ids)).entries) == PAGE:
        ids += [entry.id for entry in page]
    return ids + [entry.id for entry in page]


def draw(sidecar: Sidecar, seed: int) -> None:
    result = sidecar.generate("red apple", seed=seed, count=2, steps=4, width=64, height=64)
    pictures = [
        {"id": image.history_id, "path": image.path, "sha256": hash_of(Path(image.path or ""))}
        for image in result.images
    ]
    say(seed=seed, pictures=pictures)


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def work(data: Path, options: list[str], closing: threading.Event) -> None:
    with Sidecar.spawn(data, arguments=options, timeout=90, start_timeout=90) as sidecar:
        say(history=whole_history(sidecar))
        sidecar.load_model("starter")
        sidecar.switch_lora(sidecar.list_loras()[0].name, 0.7)
        seed = 0
        while not closing.is_set():
            seed += 1
            draw(sidecar, seed)


def main() -> None:
    closing = threading.Event()

    def listen() -> None:
        os.read(0, 1)
        closing.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        work(Path(sys.argv[1]), sys.argv[2:], closing)
    except SidecarGone:
        sys.exit(3)


main()
