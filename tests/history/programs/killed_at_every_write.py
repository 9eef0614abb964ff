"""Work with a history again and again, each time killed (-9) one write later than before.

Usage: killed_at_every_write.py FOLDER KEEP. Every round has a folder of its own (FOLDER/N) and is
a forked process that reports each finished operation through a pipe; this process prints one JSON
line a round: {"folder", "killed", "reported": [[operation, id, ids that went], ...]}.

A write is every fsync, rename, removal and SQL statement; a round dies before its Nth one. Nothing
is really flushed to the disk: what a killed process has written, the system still has.
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from history_samples import new_picture

from sidecar.history import History
from sidecar.paths import DataFolder

OPERATIONS = ("add", "add", "pin", "add", "add", "add img2img", "add", "delete", "add", "clear")


class KillSwitch:
    def __init__(self, point: int) -> None:
        self.left = point

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.tick()
            return function(*args, **kwargs)

        return wrapped


def arm(switch: KillSwitch) -> None:
    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            switch.tick()
            return super().execute(sql.replace("synchronous=FULL", "synchronous=OFF"), *args)

    connect = sqlite3.connect
    sqlite3.connect = lambda *a, **k: connect(*a, **{**k, "factory": Connection})  # type: ignore
    os.fsync = lambda descriptor: None
    for name in ("fsync", "replace", "unlink", "open"):
        setattr(os, name, switch.around(getattr(os, name)))


def work(folder: Path, keep: int, report: Callable[[list[Any]], None]) -> None:
    history = History(DataFolder(folder), keep)
    ids: list[str] = []
    for operation in OPERATIONS:
        gone: list[str] = []
        if operation.startswith("add"):
            init = b"initial picture" if "img2img" in operation else None
            added = history.add(new_picture(init_image=init))
            ids.append(added.entry.id)
            gone = list(added.evicted)
        elif operation == "pin":
            history.pin(ids[0], True)
        elif operation == "delete":
            gone = history.delete(ids[0])
        else:
            gone = history.clear(False)
        report([operation, ids[-1] if operation.startswith("add") else ids[0], gone])
    history.close()


def one_round(folder: Path, keep: int, point: int) -> bool:
    """Whether the process was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        arm(KillSwitch(point))
        work(folder, keep, lambda line: os.write(writing, json.dumps(line).encode() + b"\n"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        reported = [json.loads(line) for line in pipe]
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    row = {"folder": str(folder), "killed": killed, "reported": reported}
    print(json.dumps(row), flush=True)
    return killed


def main() -> None:
    root, keep = Path(sys.argv[1]), int(sys.argv[2])
    point = 1
    while one_round(root / str(point), keep, point):
        point += 1


main()
