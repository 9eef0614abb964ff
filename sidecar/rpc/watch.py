"""The LoRA folders are watched: what is dropped in appears, once it is all there.

watchfiles (notify, in Rust) wakes a thread that compares the folders with what it knew. It starts
in the background, after the first answer, and costs nothing while nothing happens but a look,
once a second, at whether folders that were missing have been created.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from watchfiles import watch

from sidecar.catalog.loras import Stamp
from sidecar.catalog.safetensors_header import BrokenHeader, read_header
from sidecar.protocol.library import LorasChanged
from sidecar.rpc.context import Front

IDLE_MS, PENDING_MS = 1000, 200
"""How long to wait for news: usually, and while a file is being copied in."""
SETTLE_MS = 100
PATIENCE = 10.0
"""Seconds after which a file that is no safetensors file, and no longer grows, is told as it is."""
POLL = 5.0
"""Seconds between looks where the system cannot tell of changes."""
LAST_JOIN = 0.3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Seen:
    """A file as it was found; `stamp`: time and size of it, its card and its previews."""

    path: Path
    stamp: Stamp


class LibraryWatch:
    """One per session. `start` and `close` from any thread."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._stop = threading.Event()
        self._known: dict[str, Seen] = {}
        self._pending: dict[str, tuple[Seen, float]] = {}
        self._thread = threading.Thread(target=self._run, name="library", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(LAST_JOIN)

    # ----------------------------------------------------------------- waiting

    def _run(self) -> None:
        self._known = _seen(self._front.loras.first_told())
        while not self._stop.is_set():
            try:
                for _ in self._news():
                    self.look()
            except (OSError, RuntimeError) as exc:
                log.warning("the LoRA folders cannot be watched (%s); they are polled", exc)
                self._poll()

    def _news(self) -> Iterator[None]:
        """Once at the start, then whenever something may have happened; ends when the folders or
        the pace of waiting have to be chosen anew."""
        folders, pending = self._folders(), bool(self._pending)
        yield
        if not folders:
            self._stop.wait(IDLE_MS / 1000)
            return
        wait = PENDING_MS if pending else IDLE_MS
        unsure = True  # of what happened between the last look and the start of the watch
        for changes in watch(
            *folders,
            watch_filter=None,
            debounce=4 * SETTLE_MS,
            step=SETTLE_MS,
            stop_event=self._stop,
            rust_timeout=wait,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            if changes or self._pending or unsure:
                yield
            unsure = False
            if self._folders() != folders or bool(self._pending) != pending:
                return

    def _poll(self) -> None:
        while not self._stop.wait(POLL):
            self.look()

    def _folders(self) -> list[Path]:
        return [folder for folder in self._front.settings.all_lora_folders if folder.is_dir()]

    # ----------------------------------------------------------------- looking

    def look(self) -> None:
        """Compare the folders with what was known, and tell what is different."""
        now = _seen(self._front.loras.stamps())
        added: list[str] = []
        changed: list[str] = []
        for name, seen in now.items():
            former = self._known.get(name)
            if former == seen:
                self._pending.pop(name, None)
            elif former is not None and _same_file(former, seen):
                self._known[name] = seen
                changed.append(name)
            elif self._is_complete(name, seen):
                self._known[name] = seen
                if former is None:
                    added.append(name)
                elif self._is_another(name, former, seen):
                    changed.append(name)
        removed = [name for name in self._known if name not in now]
        for name in removed:
            del self._known[name]
        self._pending = {name: held for name, held in self._pending.items() if name in now}
        if added or changed or removed:
            event = LorasChanged(added=added, changed=changed, removed=removed)
            self._front.notify("loras_changed", event)

    def _is_complete(self, name: str, seen: Seen) -> bool:
        """It looked the same before, and its header names exactly the bytes that are there."""
        former, since = self._pending.get(name, (None, 0.0))
        if former != seen:
            self._pending[name] = (seen, monotonic())
            return False
        if not _is_whole(seen.path) and monotonic() - since < PATIENCE:
            return False
        del self._pending[name]
        return True

    def _is_another(self, name: str, former: Seen, seen: Seen) -> bool:
        """Whether a file that was written has other bytes; told apart by hash where it is on."""
        in_use = {lora.name for lora in self._front.projection.current.loras}
        if name not in in_use:
            return True
        before = self._front.hashes.recall(str(former.path), former.stamp[0])
        if before is not None and before == self._front.hashes.of(str(seen.path)):
            return False
        self._front.warn("lora_replaced", {"name": name})
        return True


def _seen(stamps: Mapping[str, tuple[Path, Stamp]]) -> dict[str, Seen]:
    return {name: Seen(path, stamp) for name, (path, stamp) in stamps.items()}


def _same_file(former: Seen, seen: Seen) -> bool:
    """Whether only the card or a preview is different."""
    return former.path == seen.path and former.stamp[0] == seen.stamp[0]


def _is_whole(path: Path) -> bool:
    try:
        read_header(path)
    except (BrokenHeader, OSError):
        return False
    return True
