"""`Checker`: all checks on one picture, and what follows from what they find."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from PIL import Image

from sidecar.engine import allocator
from sidecar.engine.checks.codes import codes
from sidecar.engine.contract import Checked, CheckSpec, Found
from sidecar.engine.pictures.opening import Opened, flat
from sidecar.engine.shortage import forget
from sidecar.errors import ContentBlocked

if TYPE_CHECKING:
    from sidecar.engine.checks.nsfw import NsfwCheck
    from sidecar.engine.checks.writing import WritingCheck

OFF, BLOCK = "off", "block"
NETWORKS = ("_nsfw", "_writing")

log = logging.getLogger(__name__)


class Checker:
    """ONNX Runtime and networks are loaded when first needed: looking for codes needs neither.

    Raises AssetMissing when a network is not there.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def look(self, picture: Image.Image, spec: CheckSpec) -> Checked:
        """At an RGB picture."""
        try:
            return self._twice(picture, spec)
        finally:
            for name in NETWORKS:
                if name in vars(self):
                    vars(self)[name].give_back()

    def _twice(self, picture: Image.Image, spec: CheckSpec) -> Checked:
        """Once more, with everything released, where memory ran out. Raises MemoryError."""
        try:
            return self._looked(picture, spec)
        except MemoryError as exc:
            log.warning("out of memory in checks: %s", exc)
            forget(exc)
        self.unload()
        allocator.give_back()
        return self._looked(picture, spec)

    def _looked(self, picture: Image.Image, spec: CheckSpec) -> Checked:
        found: list[Found] = []
        made = tuple(check for check in ("nsfw", "codes", "text") if getattr(spec, check) != OFF)
        if spec.nsfw != OFF:
            found += self._nudity(picture, spec)
        if spec.codes != OFF:
            found += [
                Found("codes", code.kind, spec.codes, 1.0, code.text, code.box)
                for code in codes(picture)
            ]
        if spec.text != OFF:
            found += [
                Found(
                    check="text",
                    kind="address" if line.is_address else "text",
                    action=spec.text,
                    score=round(line.score, 3),
                    text=line.text,
                    box=line.box,
                )
                for line in self._writing.lines(picture)
            ]
        return Checked(made, tuple(found), any(one.action == BLOCK for one in found))

    def admit(self, opened: Opened, spec: CheckSpec, scale: int) -> Checked:
        """At a picture that is to be worked on. Boxes come out `scale` times enlarged.

        Raises ContentBlocked.
        """
        checked = self.look(flat(opened), spec)
        if checked.blocked:
            blocking = [one for one in checked.found if one.action == BLOCK]
            raise ContentBlocked(
                checks=list(dict.fromkeys(one.check for one in blocking)),
                findings=[asdict(one) for one in blocking],
            )
        return replace(checked, found=tuple(_enlarged(one, scale) for one in checked.found))

    def unload(self) -> None:
        """Forget the networks."""
        for name in NETWORKS:
            vars(self).pop(name, None)

    def _nudity(self, picture: Image.Image, spec: CheckSpec) -> list[Found]:
        score = self._nsfw.score(picture)
        if score < spec.nsfw_threshold:
            return []
        return [Found("nsfw", "nsfw", spec.nsfw, round(score, 3))]

    @cached_property
    def _nsfw(self) -> NsfwCheck:
        return import_module("sidecar.engine.checks.nsfw").NsfwCheck(self._threads)

    @cached_property
    def _writing(self) -> WritingCheck:
        return import_module("sidecar.engine.checks.writing").WritingCheck(self._threads)


def _enlarged(found: Found, scale: int) -> Found:
    if found.box is None:
        return found
    left, top, width, height = found.box
    return replace(found, box=(left * scale, top * scale, width * scale, height * scale))
