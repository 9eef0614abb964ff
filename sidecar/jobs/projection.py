"""The state as it will be once every accepted request is done.

Requests that change it (load_model, switch_lora) are *trials* until the engine has done them. When
a trial fails, the state falls back to the one before it, unless something newer took its place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sidecar.engine.contract import LoraSpec, ModelSpec


class Trial:
    """Shared by a state and those that were derived from it without asking the engine."""

    __slots__ = ("failed",)

    def __init__(self) -> None:
        self.failed = False


@dataclass(frozen=True)
class Projected:
    """`family` stays that of the last model when it is unloaded. `asked`: names and alphas as the
    caller gave them, where the fusion-strength curve made the stack's lower; else empty."""

    model: ModelSpec | None = None
    family: str | None = None
    loras: tuple[LoraSpec, ...] = ()
    asked: tuple[tuple[str, float], ...] = ()
    trial: Trial = field(default_factory=Trial, compare=False, repr=False)


class Projection:
    """Thread-safe holder of the newest state and those it may fall back to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states = [Projected()]

    @property
    def current(self) -> Projected:
        return self._states[-1]

    def attempt(self, change: Callable[[Projected], Projected]) -> Projected:
        """Put the changed state in force on trial; end it with `settle`."""
        with self._lock:
            state = replace(change(self._states[-1]), trial=Trial())
            self._states.append(state)
            return state

    def adjust(self, change: Callable[[Projected], Projected]) -> Projected:
        """A change that cannot fail by itself; it stands or falls with the state below."""
        with self._lock:
            state = replace(change(self._states[-1]), trial=self._states[-1].trial)
            self._states[-1] = state
            return state

    def replace(self, state: Projected) -> None:
        """A new start that asks nothing of the engine."""
        with self._lock:
            self._states = [replace(state, trial=Trial())]

    def settle(self, trial: Trial, failed: bool) -> None:
        """The engine has tried it. What lay below is forgotten, or comes back."""
        with self._lock:
            trial.failed = failed
            index = next((i for i, s in enumerate(self._states) if s.trial is trial), None)
            if index is None:
                return
            if failed:
                del self._states[index]
            else:
                del self._states[:index]
