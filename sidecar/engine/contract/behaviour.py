"""What an engine does."""

from __future__ import annotations

from typing import Protocol

from sidecar.engine.contract.events import Emit, EngineWarm
from sidecar.engine.contract.memory import MemoryReport
from sidecar.engine.contract.results import Finished, LoadedModel, LoraReceipt, Rendered, Unloaded
from sidecar.engine.contract.specs import EnhanceSpec, LoraSpec, ModelSpec, RenderSpec, UpscaleSpec
from sidecar.errors import Cancelled


class CancelToken:
    """One per job. Set from any thread; `check` raises `Cancelled` on the working one."""

    __slots__ = ("_cancelled",)

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def check(self) -> None:
        if self._cancelled:
            raise Cancelled()


class Renders(Protocol):
    """What draws pictures."""

    def render(
        self, job_id: str, spec: RenderSpec, emit: Emit, cancel: CancelToken
    ) -> Rendered: ...


class Drawing(Renders, Protocol):
    """What draws. Called from one worker thread; `memory` from another one.

    Methods raise `SidecarError`s, and leave the state as it was when they do. `load_model` and
    `apply_loras` return quickly when what they are asked for is resident already.
    """

    def warm_up(self) -> EngineWarm:
        """Import what is heavy; called once, first."""
        ...

    def load_model(
        self, job_id: str, spec: ModelSpec, emit: Emit, cancel: CancelToken
    ) -> LoadedModel: ...

    def unload_model(self) -> Unloaded: ...

    def apply_loras(
        self,
        job_id: str,
        spec: ModelSpec,
        loras: tuple[LoraSpec, ...],
        emit: Emit,
        cancel: CancelToken,
    ) -> LoraReceipt: ...

    def memory(self, ticket: int, planned: RenderSpec | None = None) -> MemoryReport: ...


class Engine(Drawing, Protocol):
    """What draws, and what else is done with pictures."""

    def upscale(
        self, job_id: str, spec: UpscaleSpec, emit: Emit, cancel: CancelToken
    ) -> Finished: ...

    def enhance(
        self, job_id: str, spec: EnhanceSpec, emit: Emit, cancel: CancelToken
    ) -> Finished: ...
