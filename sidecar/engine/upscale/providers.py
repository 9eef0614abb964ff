"""Sessions of ONNX Runtime on the best of the execution providers that are there and work."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

from sidecar.engine.contract import CancelToken
from sidecar.engine.shortage import forget, lacks_memory
from sidecar.errors import AssetMissing, Cancelled, ModelCorrupt

CPU = "CPUExecutionProvider"
PREFERENCE = (
    "CUDAExecutionProvider",
    "TensorrtExecutionProvider",
    "DmlExecutionProvider",
    "CoreMLExecutionProvider",
    "OpenVINOExecutionProvider",
    CPU,
)
ERRORS_ONLY, NEXT_TO_NOTHING = 3, 4
STOP_SECONDS = 0.05
GIVE_BACK = "memory.enable_memory_arena_shrinkage"
TERMINATED = "terminate flag"
PREAMBLE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}

Session = Any
"""`onnxruntime.InferenceSession`, which has no types."""
_ort: Any = onnxruntime
Check = Callable[[Session], Any]
FellBack = Callable[[str, str, bool], None]
"""Called with a provider that failed, the one used instead, and whether that is for good: it is
not where a device only had no memory left."""


class OpenFailed(Exception):
    """A file could not be opened; why, in ONNX Runtime's words."""


class RunFailed(Exception):
    """A network could not be run; why, in ONNX Runtime's words."""


def available() -> list[str]:
    """Of the providers in this build of ONNX Runtime, those we know, best first."""
    there = set(cast("list[str]", _ort.get_available_providers()))
    return [name for name in PREFERENCE if name in there]


def open_session(
    path: Path,
    threads: int,
    check: Check,
    fell_back: FellBack,
    providers: Sequence[str] | None = None,
    stop: Stop | None = None,
) -> tuple[Session, Any]:
    """A session, and what `check` made of it, on the first provider where both succeed.

    Only then are those before it to blame: a file that fails on every one has faults of its own.
    Raises AssetMissing when there is no such file, ModelCorrupt when it cannot be read, Cancelled
    and MemoryError; what `check` raises on the last provider comes through.
    """
    if not path.is_file():
        raise AssetMissing(asset=path.name)
    names = list(providers or available())
    failed: list[tuple[str, bool]] = []
    for name in names[:-1]:
        try:
            session = _session(str(path), threads, name, stop)
            opened = session, check(session)
        except Cancelled:
            raise
        except Exception as exc:  # whatever it is, the next one may do better
            failed.append((name, not isinstance(exc, MemoryError)))
            forget(exc)
        else:
            return _blaming(failed, name, fell_back, opened)
    try:
        session = _session(str(path), threads, names[-1], stop)
    except OpenFailed as exc:
        raise ModelCorrupt(model=path.stem, reason=str(exc)) from exc
    return _blaming(failed, names[-1], fell_back, (session, check(session)))


def _blaming(
    failed: list[tuple[str, bool]], instead: str, fell_back: FellBack, opened: tuple[Session, Any]
) -> tuple[Session, Any]:
    for name, for_good in failed:
        fell_back(name, instead, for_good)
    return opened


class Stop:
    """In a `with` block: ends what ONNX Runtime is at when the job is cancelled.

    While it runs a network it looks between two layers, which is soon enough anywhere; a whole
    piece is not. While it opens one it looks so seldom that nobody waits for it.
    """

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel
        self._options: Any = None
        self._over = threading.Event()

    def __enter__(self) -> Stop:
        threading.Thread(target=self._watch, name="stop-run", daemon=True).start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._over.set()

    def watch(self, options: Any) -> None:
        """The options of the run that begins."""
        self._options = options

    def check(self) -> None:
        """Raises Cancelled."""
        self._cancel.check()

    def opened(self, options: Any, open_one: Callable[[], Session]) -> Session:
        """What `open_one` gives. Raises Cancelled at once; it then ends by itself."""
        opening: Future[Session] = Future()
        work = threading.Thread(
            target=_settle, args=(opening, open_one), name="open-network", daemon=True
        )
        work.start()
        while work.is_alive():
            work.join(STOP_SECONDS)
            if self._cancel.cancelled:
                options.set_load_cancellation_flag(True)
                self.check()
        return opening.result()

    def _watch(self) -> None:
        while not self._over.wait(STOP_SECONDS):
            if self._cancel.cancelled and self._options is not None:
                self._options.terminate = True


def _settle(opening: Future[Session], open_one: Callable[[], Session]) -> None:
    try:
        opening.set_result(open_one())
    except BaseException as exc:
        opening.set_exception(exc)


def beside(session: Session, data: bytes, threads: int) -> Session:
    """A session for another graph, on the same provider."""
    return _session(data, threads, session.get_providers()[0])


def run(session: Session, feeds: dict[str, Any], stop: Stop | None = None) -> Any:
    """The first output. What the run took beside it stays with the session until `give_back`.

    Raises RunFailed, Cancelled and MemoryError.
    """
    options = _ort.RunOptions()
    options.log_severity_level = NEXT_TO_NOTHING  # what it says is in the exception
    if stop is not None:
        stop.watch(options)
    try:
        with _translated(RunFailed):
            return session.run(None, feeds, options)[0]
    except RunFailed:
        if stop is not None:
            stop.check()  # a run that was stopped fails
        raise


def give_back(session: Session) -> None:
    """Free the memory that the runs took; the session can go on being used.

    ONNX Runtime does that at the end of a run only, and keeps what the run's own output lies in. So
    this is a run that is over before its first layer: it takes nothing, and a millisecond.
    """
    if session.get_providers()[0] != CPU:
        return
    options = _ort.RunOptions()
    options.add_run_config_entry(GIVE_BACK, "cpu:0")
    options.log_severity_level = NEXT_TO_NOTHING
    options.terminate = True
    try:
        session.run(None, {one.name: _nothing(one) for one in session.get_inputs()}, options)
    except Exception as exc:
        if TERMINATED not in str(exc):
            raise


def _nothing(entry: Any) -> Any:
    """Zeros that an input takes, as few as it can."""
    sides = [side if isinstance(side, int) else 1 for side in entry.shape]
    return np.zeros(sides, TYPES.get(entry.type, np.float32))


def _session(model: str | bytes, threads: int, provider: str, stop: Stop | None = None) -> Session:
    options = _ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # takes half as much again; DirectML demands it
    names = [provider] if provider == CPU else [provider, CPU]

    def open_one() -> Session:
        with _translated(OpenFailed):
            return _ort.InferenceSession(model, options, providers=names)

    session = open_one() if stop is None else stop.opened(options, open_one)
    if session.get_providers()[0] != provider:
        raise OpenFailed(f"{provider} is not used")
    return session


@contextmanager
def _translated(failed: type[Exception]) -> Generator[None]:
    """ONNX Runtime has an exception for each kind of status, and none for want of memory."""
    try:
        yield
    except Exception as exc:
        said = _first_line(exc)
        raise (MemoryError if lacks_memory(exc) else failed)(said) from exc


def _first_line(exc: Exception) -> str:
    said = PREAMBLE.sub("", str(exc).strip().split("\n")[0])[:300]
    return said.rstrip(". ") or type(exc).__name__
