"""Put on PYTHONPATH: from here on the process is full of careless dependencies.

They chatter before the wire is claimed (into the buffer of C's stdout), at the import of modules
that come after it, and from a thread for as long as the process lives: through C's printf, raw
writes, print, warnings, a progress bar, a log handler and programs they start; one reads stdin.
Everything they say has NOISE in it and its kind behind that.
"""

import ctypes
import logging
import os
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

LIBC = ctypes.CDLL(None)
LOUD_MODULES = {"psutil", "pydantic", "jsonrpcserver", "watchfiles", "sqlite3", "numpy", "torch"}
INTERVAL = 0.005


def file_behind_stdout() -> tuple[int, int]:
    found = os.fstat(1)
    return found.st_dev, found.st_ino


AT_THE_START = file_behind_stdout()


def printf(kind: str) -> None:
    LIBC.printf(b"NOISE %s\n", f"{kind} {os.getpid()}".encode())


def printf_at_once(kind: str) -> None:
    printf(kind)
    LIBC.fflush(None)


def noise(moment: str) -> None:
    """One of each kind. sys.stdout is asked for anew, and the one of old is used as well."""
    printf_at_once(f"{moment}-printf")
    os.write(1, f"NOISE {moment}-write {os.getpid()}\n".encode())
    print(f"NOISE {moment}-print {os.getpid()}", flush=True)
    print(f"NOISE {moment}-old-stdout {os.getpid()}", file=sys.__stdout__, flush=True)
    warnings.warn(f"NOISE {moment}-warning {os.getpid()}", UserWarning, stacklevel=1)
    handler = logging.StreamHandler(sys.stdout)
    handler.handle(
        logging.LogRecord("dep", 50, "", 0, f"NOISE {moment}-log {os.getpid()}", (), None)
    )
    sys.stdout.write(f"\rNOISE {moment}-bar {os.getpid()} 50%|#####     | 5/10")
    os.system(f"echo NOISE {moment}-program {os.getpid()}")


class LoudImports(MetaPathFinder):
    """Makes noise as each of those modules is looked for; finds nothing itself."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in LOUD_MODULES and claimed():
            LOUD_MODULES.discard(name)
            noise("import")
            assert sys.stdin.read() == "", "a dependency read the wire"
        return None


def claimed() -> bool:
    return file_behind_stdout() != AT_THE_START


def chatter() -> None:
    wait = threading.Event().wait
    while not claimed():
        wait(INTERVAL)
    while True:
        printf_at_once("thread-printf")
        print(f"NOISE thread-print {os.getpid()}")
        wait(INTERVAL)


if sys.argv[:1] != ["-c"]:
    printf("early-printf")  # stays in the buffer until the wire is claimed
    warnings.simplefilter("always")
    sys.meta_path.insert(0, LoudImports())
    threading.Thread(target=chatter, daemon=True).start()
