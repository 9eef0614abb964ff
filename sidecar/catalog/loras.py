"""LoRA files in their folders, each with its card. Tensors are never read here."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.catalog.card_file import CardFile, read_card
from sidecar.catalog.lora_facts import is_lora, rank_of, verdict_of
from sidecar.catalog.names import files_inside, is_plain_name
from sidecar.catalog.safetensors_header import BrokenHeader, Header, read_header
from sidecar.catalog.training import suggested_words
from sidecar.errors import LoraNotFound
from sidecar.lora_format.families import Verdict
from sidecar.lora_format.titles import title
from sidecar.protocol.lora import LoraCard
from sidecar.texts import DEFAULT_LOCALE, sentence_and_hint

SUFFIX = ".safetensors"
LARGE_BYTES = 150_000_000

_PREVIEWS = (".preview.png", ".png", ".webp", ".jpg", ".jpeg")

Stamp = tuple[tuple[int, int] | None, ...]
"""Time (nanoseconds) and size of the file, of its card and of its previews; None: not there."""


@dataclass(frozen=True)
class FoundLora:
    """A LoRA file by its name; `path` is absolute and inside a LoRA folder."""

    name: str
    path: Path
    card: LoraCard


class LoraCatalog:
    """The files of all folders; where two have the same name, the first folder wins.

    Every call looks at the folders anew; a header is read again only when its file or its card
    has changed. Thread-safe.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._lock = threading.Lock()
        self._cache: dict[Path, tuple[Stamp, LoraCard]] = {}
        self._first_told: dict[str, tuple[Path, Stamp]] | None = None

    def cards(self) -> list[LoraCard]:
        """The cards of all files, by name."""
        files = self._files()
        if self._first_told is None:
            self._first_told = {name: (path, _stamp(path)) for name, path in files.items()}
        with self._lock:
            self._cache = {p: c for p, c in self._cache.items() if p in files.values()}
        return [self._card(name, path) for name, path in sorted(files.items())]

    def first_told(self) -> dict[str, tuple[Path, Stamp]]:
        """As `stamps`: what the first list held; what there is now, when none was asked for."""
        return self.stamps() if self._first_told is None else self._first_told

    def stamps(self) -> dict[str, tuple[Path, Stamp]]:
        """Path, and what changes with the file, its card or its previews, by name."""
        return {name: (path, _stamp(path)) for name, path in self._files().items()}

    def find(self, name: str) -> FoundLora:
        """The file of that name: exact, else without regard to case or the suffix.

        Raises LoraNotFound, also for anything that is a path rather than a name.
        """
        files = self._files()
        found = _match(name, files) if is_plain_name(name) else None
        if found is None:
            raise LoraNotFound(name=name, available=sorted(files))
        return FoundLora(found, files[found], self._card(found, files[found]))

    def card_of(self, name: str, path: Path) -> LoraCard:
        """The card of a file that was found before; an empty one when it went away since."""
        return self._card(name, path)

    def _files(self) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for folder in self._folders:
            for path in files_inside(Path(os.path.abspath(folder)), SUFFIX):
                name = path.name[: -len(SUFFIX)]
                if is_plain_name(name):
                    files.setdefault(name, path)
        return files

    def _card(self, name: str, path: Path) -> LoraCard:
        stamp = _stamp(path)
        with self._lock:
            cached = self._cache.get(path)
        if cached and cached[0] == stamp:
            return cached[1]
        card = _read(name, path)
        with self._lock:
            self._cache[path] = (stamp, card)
        return card


def _match(name: str, files: dict[str, Path]) -> str | None:
    if name in files:
        return name
    wanted = name.lower().removesuffix(SUFFIX)
    matches = [known for known in files if known.lower() == wanted]
    return matches[0] if len(matches) == 1 else None


def _read(name: str, path: Path) -> LoraCard:
    card = read_card(_card_path(path))
    header, size = _header_and_size(path, card)
    metadata = header.metadata
    verdict = verdict_of(header, name)
    triggers = card.trigger_words or _phrases(metadata.get("modelspec.trigger_phrase"))
    card.warnings += _doubts(name, card, verdict)
    if size > LARGE_BYTES:
        values = {"name": name, "megabytes": size // 1_000_000}
        card.warnings.append(sentence_and_hint("lora_large", values, DEFAULT_LOCALE)[0])
    return LoraCard(
        name=name,
        title=card.title or _title_in(metadata) or _title_of(name),
        family=verdict.family or card.family or verdict.claimed,
        rank=rank_of(header) or card.rank,
        bytes=size,
        trigger_words=triggers,
        suggested_words=[] if triggers else suggested_words(metadata),
        prompt_template=card.prompt_template,
        negative_prompt=card.negative_prompt,
        conflict_group=card.conflict_group,
        alpha_range=card.alpha_range,
        vae=card.vae,
        no_half_vae=card.no_half_vae,
        preview=_preview(path, card),
        preview_url=None,
        license=card.license or metadata.get("modelspec.license"),
        warnings=card.warnings,
    )


def _doubts(name: str, card: CardFile, verdict: Verdict) -> list[str]:
    """What card, metadata and file name say against the shapes, one sentence each."""
    said = [*verdict.doubts]
    if card.family and card.family not in verdict.possible:
        said.insert(0, ("card", card.family))
    made_for = ", ".join(title(family) for family in sorted(verdict.possible)) or title(None)
    return [
        sentence_and_hint(
            f"lora_family_in_{where}",
            {"name": name, "claimed": title(claimed), "family": made_for},
            DEFAULT_LOCALE,
        )[0]
        for where, claimed in said
    ]


def _header_and_size(path: Path, card: CardFile) -> tuple[Header, int]:
    """The header, or an empty one and a warning; a bad file stands in the list with its reason."""
    size = 0
    try:
        size = path.stat().st_size
        header = read_header(path)
    except BrokenHeader as exc:
        card.warnings.append(f"The file cannot be used: {exc}.")
        return Header({}, {}), size
    except OSError as exc:
        card.warnings.append(f"The file cannot be read: {exc.strerror}.")
        return Header({}, {}), size
    if not is_lora(header):
        card.warnings.append("The file holds no LoRA that is known here.")
    return header, size


def _card_path(path: Path) -> Path:
    return path.with_name(path.name[: -len(SUFFIX)] + ".json")


def _preview_paths(path: Path) -> list[Path]:
    return [path.with_name(path.name[: -len(SUFFIX)] + suffix) for suffix in _PREVIEWS]


def _preview(path: Path, card: CardFile) -> str | None:
    """The picture that the card names, or one named like the file; always in the same folder."""
    candidates = _preview_paths(path)
    if card.preview and is_plain_name(card.preview):
        candidates.insert(0, path.with_name(card.preview))
    for candidate in candidates:
        if candidate.is_file() and not candidate.is_symlink():
            return str(candidate)
    return None


def _stamp(path: Path) -> Stamp:
    return tuple(_changed(p) for p in (path, _card_path(path), *_preview_paths(path)))


def _changed(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _phrases(text: str | None) -> list[str]:
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _title_in(metadata: Mapping[str, str]) -> str | None:
    """The maker's title, else the name the trainer was told to write the file under."""
    output = metadata.get("ss_output_name", "").strip()
    return metadata.get("modelspec.title") or (_title_of(output) if output else None)


def _title_of(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:] if words else name
