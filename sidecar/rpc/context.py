"""What handlers work with: the front's state, and the call in hand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sidecar.catalog.loras import LoraCatalog
from sidecar.catalog.models import FoundModel, ModelCatalog
from sidecar.engine.contract import Command
from sidecar.history.store import History
from sidecar.jobs.job import RequestId
from sidecar.jobs.progress import PhaseWeights
from sidecar.jobs.projection import Projection
from sidecar.jobs.queue import JobQueue
from sidecar.protocol.base import Result
from sidecar.protocol.events import Warned
from sidecar.rpc.hashes import FileHashes
from sidecar.rpc.memory import MemoryDesk
from sidecar.rpc.previews import PreviewCache
from sidecar.settings import Settings
from sidecar.texts import DEFAULT_LOCALE, sentence_and_hint

Handler = Callable[["Call", Any], Result | Future[Any] | dict[str, Any] | None]
Notify = Callable[[str, Result], None]

log = logging.getLogger(__name__)


@dataclass
class Front:
    """Everything that lives as long as the session. Handlers run on the reading thread."""

    settings: Settings
    jobs: JobQueue
    notify: Notify
    send_command: Callable[[Command], bool]
    end: Callable[[], None]
    loras: LoraCatalog
    models: ModelCatalog
    history: History
    memory: MemoryDesk
    previews: PreviewCache
    projection: Projection = field(default_factory=Projection)
    hashes: FileHashes = field(default_factory=FileHashes)
    weights: PhaseWeights = field(default_factory=PhaseWeights)
    found_models: dict[str, FoundModel] = field(default_factory=dict)
    locale: str = DEFAULT_LOCALE
    shutting_down: bool = False

    _reset_told: bool = False

    def tell_moved_aside(self) -> None:
        """A broken history database was moved aside: say so, once."""
        aside = self.history.moved_aside
        if aside is not None and not self._reset_told:
            self._reset_told = True
            self.warn("history_reset", {"path": str(aside)})

    def warn(self, kind: str, fields: dict[str, Any]) -> None:
        """Tell the person, in the session's language."""
        message, hint = sentence_and_hint(kind, fields, self.locale)
        log.warning("%s", message)
        self.notify("warning", Warned(kind=kind, message=message, hint=hint))


@dataclass(slots=True)
class Call:
    """One request. `positional`: its params were an array, which is refused."""

    front: Front
    request_id: RequestId
    positional: bool = False
