"""Every error a caller can meet, as a class with a stable code and kind.

The words are in `sidecar.texts`, in each locale; an error carries only its kind and the values
that fill the sentence, so it crosses the engine's pipe as data and is put into words at the wire.
`code` follows JSON-RPC 2.0 (protocol faults), LSP (cancelled) and the table in docs/protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sidecar.lora_format.titles import title
from sidecar.parameter_texts import phrase
from sidecar.texts import DEFAULT_LOCALE, sentence_and_hint

REGISTRY: dict[str, type[SidecarError]] = {}

SIDES = ("lora", "model")
WAYS_IN_HINT = 3


class SidecarError(Exception):
    """An error whose message and hint are written for a person.

    `fields` fill the placeholders of the sentence and go to the wire in `error.data`; they must
    be JSON values.
    """

    code: ClassVar[int] = -32603
    kind: ClassVar[str] = "internal_error"

    def __init__(self, **fields: Any) -> None:
        self.fields: dict[str, Any] = fields
        super().__init__(self.message())

    def __init_subclass__(cls) -> None:
        REGISTRY[cls.kind] = cls

    def message(self, locale: str = DEFAULT_LOCALE) -> str:
        return self.words(locale)[0]

    def hint(self, locale: str = DEFAULT_LOCALE) -> str:
        return self.words(locale)[1]

    def words(self, locale: str) -> tuple[str, str]:
        """Message and hint."""
        return sentence_and_hint(self.kind, self.fields, locale)

    def data(self, locale: str) -> dict[str, Any]:
        """The fields as they go to the wire."""
        return self.fields

    def to_wire(self, locale: str = DEFAULT_LOCALE) -> dict[str, Any]:
        """The JSON-RPC error object."""
        message, hint = self.words(locale)
        data: dict[str, Any] = {"kind": self.kind, "hint": hint, **self.data(locale)}
        return {"code": self.code, "message": message, "data": data}


REGISTRY[SidecarError.kind] = SidecarError


def error_from(kind: str, fields: Mapping[str, Any]) -> SidecarError:
    """The error of that kind, as it came over the engine's pipe."""
    return REGISTRY.get(kind, SidecarError)(**fields)


class ParseFault(SidecarError):
    code, kind = -32700, "parse_error"


class InvalidRequest(SidecarError):
    """`reason`: what is wrong with the message."""

    code, kind = -32600, "invalid_request"


class MethodNotFound(SidecarError):
    """`method`; `meant`: one whose name is nearly the same, if there is one"""

    code, kind = -32601, "method_not_found"

    def words(self, locale: str) -> tuple[str, str]:
        sentence = "method_meant" if "meant" in self.fields else self.kind
        return sentence_and_hint(sentence, self.fields, locale)


@dataclass(frozen=True)
class ParameterFault:
    """What is wrong with one field: a key of `sidecar.parameter_texts` and what fills its words.
    `path`: where the field is, with dots; empty for the parameters as a whole."""

    path: str
    problem: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def message(self, locale: str) -> str:
        return phrase(self.problem, self.values, locale)


class InvalidParams(SidecarError):
    """`errors`: a list of {path, message}; `summary`: the first of them as a phrase."""

    code, kind = -32602, "invalid_params"

    def __init__(self, *faults: ParameterFault, **fields: Any) -> None:
        self.faults = faults
        super().__init__(**fields)

    def words(self, locale: str) -> tuple[str, str]:
        return sentence_and_hint(self.kind, self.data(locale), locale)

    def data(self, locale: str) -> dict[str, Any]:
        if not self.faults:
            return self.fields
        errors = [{"path": fault.path, "message": fault.message(locale)} for fault in self.faults]
        first = errors[0]["message"]
        path = self.faults[0].path
        return {"errors": errors, "summary": f"{path}: {first}" if path else first}


class Cancelled(SidecarError):
    code, kind = -32800, "cancelled"


class Superseded(SidecarError):
    code, kind = -32801, "superseded"


class LoraNotFound(SidecarError):
    """`name`, `available`: names that exist; `sought`: "stack" where it should have been on, "file"
    where a path was given, else left out"""

    code, kind = 1001, "lora_not_found"

    def words(self, locale: str) -> tuple[str, str]:
        sought = self.fields.get("sought")
        if sought == "stack":
            sentence = "lora_not_on" if self.fields.get("available") else "no_lora_on"
        else:
            sentence = "lora_file_not_found" if sought == "file" else self.kind
        return sentence_and_hint(sentence, self.fields, locale)


class LoraIncompatible(SidecarError):
    """`name`, `lora_family` ("unknown" where it is), `model_family`, `reason`"""

    code, kind = 1002, "lora_incompatible"

    def __init__(self, **fields: Any) -> None:
        titles = {f"{side}_title": title(fields.get(f"{side}_family")) for side in SIDES}
        super().__init__(**{**titles, **fields})


class LoraUnsafe(SidecarError):
    """`name`, `reason`, `findings`: of the safety scan, as scan_lora has them"""

    code, kind = 1003, "lora_unsafe"


class LoraConflict(SidecarError):
    """`names`, `group`, `limit`, `suggested`: the whole stack with alphas that go together"""

    code, kind = 1004, "lora_conflict"


class LoraCorrupt(SidecarError):
    """`name`, `reason`, `findings`?: of the safety scan, as scan_lora has them"""

    code, kind = 1005, "lora_corrupt"


class LoraWithoutEffect(SidecarError):
    """`name`, `reason`"""

    code, kind = 1006, "lora_without_effect"


class LoraSuspicious(SidecarError):
    """`name`, `reason`, `findings`: of the safety scan, as scan_lora has them"""

    code, kind = 1007, "lora_suspicious"


class ModelNotFound(SidecarError):
    """`model`, `available`; `sought`: "upscaler" where a network for enlarging was meant"""

    code, kind = 1101, "model_not_found"

    def words(self, locale: str) -> tuple[str, str]:
        upscaler = self.fields.get("sought") == "upscaler"
        return sentence_and_hint(
            "upscaler_not_found" if upscaler else self.kind, self.fields, locale
        )


class ModelCorrupt(SidecarError):
    """`model`, `reason`"""

    code, kind = 1102, "model_corrupt"


class ModelUnsupported(SidecarError):
    """`model`, `reason`"""

    code, kind = 1103, "model_unsupported"


class ModelNotLoaded(SidecarError):
    code, kind = 1104, "model_not_loaded"


class VaeNotFound(SidecarError):
    """`vae`, `available`: names that exist"""

    code, kind = 1105, "vae_not_found"


class AssetMissing(SidecarError):
    """`asset`: a file of the package that is fetched when it is set up"""

    code, kind = 1106, "asset_missing"


class OutOfMemory(SidecarError):
    """`needed_mb`?: where it was foretold, and nothing started; `free_mb`?; `alternatives`: what
    would fit, the nearest first, as `protocol.memory.Alternative` without its sentence, or
    sentences."""

    code, kind = 1201, "out_of_memory"

    def words(self, locale: str) -> tuple[str, str]:
        foretold = self.fields.get("needed_mb") is not None
        kind = "out_of_memory_foretold" if foretold else self.kind
        message, hint = sentence_and_hint(kind, self.fields, locale)
        ways = [_sentence(way, locale) for way in self._ways() if not isinstance(way, str)]
        if ways:
            hint = sentence_and_hint("out_of_memory_ways", {"ways": ways[:WAYS_IN_HINT]}, locale)[1]
        return message, hint

    def data(self, locale: str) -> dict[str, Any]:
        return {**self.fields, "alternatives": [told_way(way, locale) for way in self._ways()]}

    def _ways(self) -> Sequence[Mapping[str, Any] | str]:
        return self.fields.get("alternatives", ())


def told_way(way: Mapping[str, Any] | str, locale: str) -> dict[str, Any] | str:
    """An alternative with its sentence; one that is no size to draw at, as its sentence alone."""
    if isinstance(way, str):
        return way
    message = _sentence(way, locale)
    return {**way, "message": message} if "width" in way else message


def _sentence(way: Mapping[str, Any], locale: str) -> str:
    kind = "smaller_upscaled" if way["way"] == "smaller" and way["upscale"] > 1 else way["way"]
    return sentence_and_hint(f"way_{kind}", way, locale)[0]


class EngineCrashed(SidecarError):
    """`exit_code`"""

    code, kind = 1202, "engine_crashed"


class EngineMissing(SidecarError):
    """`package`: what could not be imported"""

    code, kind = 1203, "engine_missing"


class NumericalFault(SidecarError):
    """`what`: where the NaN or the black picture showed; `network`?: that was to enlarge it"""

    code, kind = 1204, "numerical_fault"

    def words(self, locale: str) -> tuple[str, str]:
        kind = "network_fault" if "network" in self.fields else self.kind
        return sentence_and_hint(kind, self.fields, locale)


class ImageUnreadable(SidecarError):
    """`problem`: an unreadable_… of `sidecar.picture_texts`, which `format`, `path`, `said` fill"""

    code, kind = 1301, "image_unreadable"

    def words(self, locale: str) -> tuple[str, str]:
        reason, hint = self._reason(locale)
        message, usual = sentence_and_hint(self.kind, {"reason": reason}, locale)
        return message, hint or usual

    def data(self, locale: str) -> dict[str, Any]:
        return {**self.fields, "reason": self._reason(locale)[0]}

    def _reason(self, locale: str) -> tuple[str, str]:
        return sentence_and_hint(f"unreadable_{self.fields['problem']}", self.fields, locale)


class ImageTooLarge(SidecarError):
    """`width`, `height`, `limit`: pixels that are taken; `scale`?: times it was to be enlarged, and
    `fits`: the most times it can be, or 0"""

    code, kind = 1302, "image_too_large"

    def words(self, locale: str) -> tuple[str, str]:
        fits = self.fields.get("fits", 0)
        kind = "image_too_large_enlarged" if fits else self.kind
        limit = self.fields["limit"]
        most = {"millions": f"{limit / 1e6:.0f}", "myriads": f"{limit / 1e4:.0f}"}
        return sentence_and_hint(kind, {**self.fields, **most}, locale)


class ContentBlocked(SidecarError):
    """`checks`: that found something; `findings`. The picture was sent in and is not worked on."""

    code, kind = 1303, "content_blocked"

    def words(self, locale: str) -> tuple[str, str]:
        checks = self.fields.get("checks", ())
        found = [sentence_and_hint(f"found_{check}", {}, locale)[0] for check in checks]
        return sentence_and_hint(self.kind, {"found": found}, locale)


class ImageTiny(SidecarError):
    """`width`, `height`, `least`: pixels of the shorter side"""

    code, kind = 1304, "image_tiny"


class ImageBlank(SidecarError):
    code, kind = 1305, "image_blank"


class ImageBlurred(SidecarError):
    code, kind = 1306, "image_blurred"


class HistoryNotFound(SidecarError):
    """`id`"""

    code, kind = 1401, "history_not_found"


class PictureGone(HistoryNotFound):
    """`id`: the entry is there, its file was deleted by hand"""

    code, kind = 1404, "picture_gone"


class StorageFault(SidecarError):
    """`cause`: such as disk_full, see sidecar/storage_texts.py; `folder`, `path`, `detail`"""

    code, kind = 1409, "storage_fault"

    def words(self, locale: str) -> tuple[str, str]:
        reason, hint = sentence_and_hint(
            f"storage_{self.fields.get('cause', 'system')}", self.fields, locale
        )
        return sentence_and_hint(self.kind, {"reason": reason}, locale)[0], hint


class QueueFull(SidecarError):
    """`limit`"""

    code, kind = 1501, "queue_full"


class DatasetInvalid(SidecarError):
    """`reason`"""

    code, kind = 1601, "dataset_invalid"


class ShuttingDown(SidecarError):
    """A request after `shutdown`."""

    code, kind = -32002, "shutting_down"
