"""What is known about the engine, without asking it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sidecar.engine.contract import EngineWarm, LoadedModel
from sidecar.protocol.lifecycle import EngineState


@dataclass
class EngineFacts:
    """Written by the queue, read by anyone; single assignments only."""

    pid: int | None = None
    warm: EngineWarm | None = None
    model: LoadedModel | None = None
    loading: bool = False
    busy: bool = False
    restarts: int = 0
    crashed: bool = False
    missing: str | None = None
    versions: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def state(self) -> EngineState:
        if self.crashed or self.missing is not None:
            return "crashed"
        if self.pid is None:
            return "cold"
        if self.warm is None:
            return "starting"
        if self.loading:
            return "loading"
        return "busy" if self.busy else "ready"

    def started(self, pid: int) -> None:
        self.restarts += self.crashed
        self.pid, self.crashed = pid, False

    def stopped(self) -> None:
        self.pid = self.warm = self.model = None
        self.loading = False
        self.crashed = True
