"""Previews that were drawn before, by everything that went into them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from sidecar.engine.contract import RenderSpec
from sidecar.protocol.pictures import PreviewResult
from sidecar.rpc.hashes import identity
from sidecar.rpc.styles import Wording


def preview_key(spec: RenderSpec, wording: Wording | None) -> Hashable:
    """The spec, how its prompt came about, and the state of the LoRA files on disk; None when they
    cannot be looked at."""
    try:
        return spec, wording, tuple(identity(lora.path) for lora in spec.loras)
    except OSError:
        return None


class PreviewCache:
    """Least recently used first out; bounded in bytes of pictures. Thread-safe."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._entries: OrderedDict[Hashable, PreviewResult] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> PreviewResult | None:
        with self._lock:
            found = self._entries.get(key)
            if found is not None:
                self._entries.move_to_end(key)
            return found

    def put(self, key: Hashable, result: PreviewResult) -> None:
        if key is None:
            return
        with self._lock:
            former = self._entries.pop(key, None)
            self._bytes += _size(result) - (_size(former) if former else 0)
            self._entries[key] = result
            while self._bytes > self._limit and self._entries:
                self._bytes -= _size(self._entries.popitem(last=False)[1])


def _size(result: PreviewResult) -> int:
    return len(result.image.data_url or "") + 1024
