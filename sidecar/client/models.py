"""The methods about models and memory; `Sidecar` has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from sidecar.client.connection import Listener
from sidecar.client.faults import UnexpectedAnswer
from sidecar.protocol.base import DType, LowVram, Result
from sidecar.protocol.memory import VramReport
from sidecar.protocol.models import LoadModelResult, ModelCard, ModelList

R = TypeVar("R", bound=Result)

LOOK_UP_SECONDS = 30.0


def read(result: type[R], value: Any) -> R:
    """Raises UnexpectedAnswer for what is no such result."""
    try:
        return result.model_validate(value)
    except ValidationError as exc:
        raise UnexpectedAnswer(f"not a {result.__name__}: {exc}") from exc


class ModelMethods(ABC):
    @abstractmethod
    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        listener: Listener | None = None,
    ) -> Any: ...

    def _look_up(self, result: type[R], method: str, **params: Any) -> R:
        return read(result, self.call(method, params, LOOK_UP_SECONDS))

    def list_models(self) -> list[ModelCard]:
        return self._look_up(ModelList, "list_models").models

    def load_model(
        self,
        model: str,
        *,
        vae: str | None = None,
        dtype: DType = "auto",
        low_vram: LowVram = "auto",
        no_half_vae: bool = False,
    ) -> LoadModelResult:
        params = {
            "model": model,
            "vae": vae,
            "dtype": dtype,
            "low_vram": low_vram,
            "no_half_vae": no_half_vae,
        }
        return read(LoadModelResult, self.call("load_model", params))

    def unload_model(self) -> None:
        self.call("unload_model", {})

    def vram_report(self, prompt: str | None = None, **options: Any) -> VramReport:
        """With a prompt and `generate`'s other parameters: also what that picture would need."""
        planned = {} if prompt is None else {"for": {"prompt": prompt, **options}}
        return self._look_up(VramReport, "vram_report", **planned)

    def set_low_vram(self, mode: LowVram) -> LoadModelResult:
        """Another rung of the low-memory ladder for the model that is loaded."""
        return read(LoadModelResult, self.call("set_low_vram", {"mode": mode}))
