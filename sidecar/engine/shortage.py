"""What is done where memory runs out, without torch."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from sidecar.engine import allocator
from sidecar.errors import OutOfMemory

PHRASES = (
    "out of memory",
    "out_of_memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate",
    "alloc_failed",
    "bad_alloc",
    "could not create a memory",
)
"""What allocators say in errors of no kind of their own: those of ONNX Runtime and torch, of the
C++ library, CUDA, cuDNN, DirectML, Metal and oneDNN."""

log = logging.getLogger(__name__)


def lacks_memory(exc: BaseException) -> bool:
    text = str(exc).lower()
    return isinstance(exc, MemoryError) or any(phrase in text for phrase in PHRASES)


@contextmanager
def memory_told(
    release: Callable[[], object], ways: Sequence[dict[str, object]] = ()
) -> Generator[None]:
    """Within, want of memory becomes OutOfMemory, and everything that can be is released.

    `ways`: its alternatives.
    """
    try:
        yield
    except MemoryError as exc:
        log.warning("out of memory: %s", exc)
        forget(exc)
    else:
        return
    release()
    allocator.give_back()
    raise OutOfMemory(alternatives=list(ways))


def forget(exc: BaseException) -> None:
    """Clear the locals of every frame that the error, and those it came of, went through: as long
    as it lives, they would keep their arrays."""
    seen: BaseException | None = exc
    while seen is not None:
        traceback.clear_frames(seen.__traceback__)
        seen = seen.__cause__ or seen.__context__
