"""What is done where memory runs out, without torch."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from sidecar.engine import allocator
from sidecar.errors import OutOfMemory

PHRASES = (
    "failed to allocate",
    "bad_alloc",
    "out of memory",
    "out_of_memory",
    "not enough memory",
    "alloc_failed",
)
"""What ONNX Runtime and its providers say: its arena, the C++ library, CUDA, DirectML, cuDNN."""


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
