"""What handlers work with: the front's state, and the call in hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sidecar.engine.contract import Command
from sidecar.jobs.projection import Projection
from sidecar.jobs.queue import JobQueue
from sidecar.paths import upscaler_folder
from sidecar.protocol.base import Result
from sidecar.protocol.events import Warned
from sidecar.rpc.hashes import FileHashes
from sidecar.rpc.room import Room
from sidecar.settings import Settings
from sidecar.texts import DEFAULT_LOCALE, sentence_and_hint

if TYPE_CHECKING:
    from sidecar.catalog.loras import LoraCatalog
    from sidecar.catalog.models import FoundModel, ModelCatalog
    from sidecar.catalog.upscalers import UpscalerCatalog
    from sidecar.history.store import History
    from sidecar.jobs.job import RequestId
    from sidecar.jobs.progress import PhaseWeights
    from sidecar.rpc.guard import Guard
    from sidecar.rpc.memory import MemoryDesk
    from sidecar.rpc.previews import PreviewCache
    from sidecar.rpc.unfinished import Unfinished
    from sidecar.rpc.watch import LibraryWatch

Handler = Callable[["Call", Any], Result | Future[Any] | dict[str, Any] | None]
Notify = Callable[[str, Result], None]

log = logging.getLogger(__name__)


class Front:
    """Everything that lives as long as the session. Handlers run on the reading thread.

    Parts that the handshake does not need are imported when first used.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: JobQueue,
        notify: Notify,
        send_command: Callable[[Command], bool],
        end: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.jobs = jobs
        self.notify = notify
        self.send_command = send_command
        self.end = end
        self.projection = Projection()
        self.hashes = FileHashes()
        self.found_models: dict[str, FoundModel] = {}
        self.locale = DEFAULT_LOCALE
        self.shutting_down = False
        self._reset_told = False
        self._watch: LibraryWatch | None = None
        self._warned: set[tuple[str, ...]] = set()

    @cached_property
    def loras(self) -> LoraCatalog:
        return import_module("sidecar.catalog.loras").LoraCatalog(self.settings.all_lora_folders)

    @cached_property
    def guard(self) -> Guard:
        guard = import_module("sidecar.rpc.guard").Guard
        return guard(self.hashes, lambda: self.locale)

    @cached_property
    def models(self) -> ModelCatalog:
        catalog = import_module("sidecar.catalog.models").ModelCatalog
        return catalog(self.settings.all_model_folders, self.settings.starter)

    @cached_property
    def upscalers(self) -> UpscalerCatalog:
        catalog = import_module("sidecar.catalog.upscalers").UpscalerCatalog
        return catalog(self.settings.all_model_folders, upscaler_folder())

    @cached_property
    def history(self) -> History:
        store = import_module("sidecar.history.store")
        return store.History(self.settings.data, self.settings.history_keep)

    @cached_property
    def unfinished(self) -> Unfinished:
        return import_module("sidecar.rpc.unfinished").Unfinished(self.settings.data.unfinished)

    @cached_property
    def memory(self) -> MemoryDesk:
        desk = import_module("sidecar.rpc.memory").MemoryDesk
        notify = partial(self.notify, "vram")
        return desk(self.send_command, notify, lambda: self.locale, self.jobs.facts)

    @cached_property
    def previews(self) -> PreviewCache:
        return import_module("sidecar.rpc.previews").PreviewCache(self.settings.preview_cache_bytes)

    @cached_property
    def weights(self) -> PhaseWeights:
        return import_module("sidecar.jobs.progress").PhaseWeights()

    def watch_library(self) -> None:
        """Tell of files that come and go, from now on."""
        if self._watch is None and not self.shutting_down:
            watch: LibraryWatch = import_module("sidecar.rpc.watch").LibraryWatch(self)
            self._watch = watch
            watch.start()

    def close(self) -> None:
        """Stop what runs beside the queue: the watch, a scan; close the history."""
        if self._watch is not None:
            self._watch.close()
        if "guard" in vars(self):
            self.guard.close()
        if "unfinished" in vars(self):
            self.unfinished.close()
        self.history.close()

    def tell_moved_aside(self) -> None:
        """A broken history database was moved aside: say so, once."""
        aside = self.history.moved_aside
        if aside is not None and not self._reset_told:
            self._reset_told = True
            self.warn("history_reset", {"path": str(aside)})

    def warn_once(self, kind: str, fields: dict[str, Any]) -> None:
        """The same, but the same words only once a session."""
        key = kind, *fields.values()
        if key not in self._warned:
            self._warned.add(key)
            self.warn(kind, fields)

    def warn(self, kind: str, fields: dict[str, Any]) -> None:
        """Tell the person, in the session's language."""
        message, hint = sentence_and_hint(kind, fields, self.locale)
        log.info("%s", message)
        self.notify("warning", Warned(kind=kind, message=message, hint=hint))


@dataclass(slots=True)
class Call:
    """One request. `positional`: its params were an array, which is refused. `room`: in the message
    that answers it."""

    front: Front
    request_id: RequestId
    positional: bool = False
    room: Room = field(default_factory=Room)
