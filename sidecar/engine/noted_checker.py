"""`Checker`, with the memory noted that it brings into the process. Codes need no ONNX Runtime."""

from __future__ import annotations

from importlib import import_module

from PIL import Image

from sidecar.engine.afterwards import CHECKS, check_bytes, checks_on, with_those_there
from sidecar.engine.checks.checker import Checker
from sidecar.engine.contract import Checked, CheckSpec
from sidecar.engine.memory.beside import LIBRARY, Beside


class NotedChecker(Checker):
    def __init__(self, threads: int, beside: Beside) -> None:
        super().__init__(threads)
        self._beside = beside

    def look(self, picture: Image.Image, spec: CheckSpec) -> Checked:
        checks = checks_on(spec)
        if not checks:
            return super().look(picture, spec)
        with self._beside.coming(LIBRARY, LIBRARY):
            import_module("onnxruntime")
        name = with_those_there(self._beside, checks)
        with self._beside.coming(CHECKS, name, check_bytes(name)):
            return super().look(picture, spec)
