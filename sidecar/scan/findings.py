"""One thing that was found in a file, and how much it weighs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["corrupt", "unsafe", "suspicious", "notice"]
"""`corrupt`: damaged, cannot be used. `unsafe`: made to harm or to hide something; refused.
`suspicious`: used when the caller says so. `notice`: told, never in the way."""

SEVERITY: dict[str, Severity] = {
    "empty": "corrupt",
    "not_safetensors": "corrupt",
    "cut_off": "corrupt",
    "bad_json": "corrupt",
    "bad_tensor": "corrupt",
    "metadata_not_text": "corrupt",
    "not_finite": "corrupt",
    "foreign_file": "unsafe",
    "header_bomb": "unsafe",
    "duplicate_keys": "unsafe",
    "bad_layout": "unsafe",
    "hidden_bytes": "unsafe",
    "polyglot": "unsafe",
    "executable": "unsafe",
    "encoded_executable": "unsafe",
    "active_content": "suspicious",
    "address_in_bytes": "suspicious",
    "address": "suspicious",
    "known_address": "notice",
    "odd_key": "suspicious",
    "odd_name": "suspicious",
    "odd_characters": "suspicious",
    "odd_entry": "suspicious",
    "odd_dtype": "suspicious",
    "odd_shape": "suspicious",
    "large_metadata": "suspicious",
    "empty_tensor": "notice",
}

_ORDER: tuple[Severity, ...] = ("unsafe", "corrupt", "suspicious", "notice")
MAX_OF_A_KIND = 8


@dataclass(frozen=True)
class Finding:
    """`where`: a tensor or a metadata key; `detail`: what stands there; `offset`: bytes into the
    file."""

    kind: str
    where: str = ""
    detail: str = ""
    offset: int | None = None

    @property
    def severity(self) -> Severity:
        return SEVERITY[self.kind]


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The severity that decides; None when there are no findings."""
    found = {finding.severity for finding in findings}
    return next((severity for severity in _ORDER if severity in found), None)


def tidied(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The gravest first, each once, a few of each kind."""
    kept: dict[str, list[Finding]] = {}
    for finding in findings:
        of_kind = kept.setdefault(finding.kind, [])
        if len(of_kind) < MAX_OF_A_KIND and finding not in of_kind:
            of_kind.append(finding)
    flat = [finding for of_kind in kept.values() for finding in of_kind]
    return tuple(sorted(flat, key=lambda finding: _ORDER.index(finding.severity)))


def shown(text: str, limit: int = 120) -> str:
    """Text from a file, fit for a message: printable and short."""
    safe = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"
