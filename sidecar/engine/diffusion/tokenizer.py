"""Prompts to token ids, as CLIP's tokenizer does it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

START, END = "<|startoftext|>", "<|endoftext|>"
WORDS = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"
    r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)


@dataclass(frozen=True)
class Tokens:
    """`ids` are padded and cut to the encoder's length; `dropped` did not fit."""

    ids: list[int]
    dropped: int


class PromptTokenizer:
    """Reads `tokenizer.json`, or `vocab.json` and `merges.txt`, of a diffusers folder.

    Raises OSError or ValueError where the files are missing or broken.
    """

    def __init__(self, folder: Path, length: int) -> None:
        self.length = length
        self._tokenizer = _read(folder)
        pad = _pad_token(folder)
        pad_id = self._tokenizer.token_to_id(pad)
        if pad_id is None:
            raise ValueError(f"the tokenizer has no token {pad}")
        self._pad_id: int = pad_id

    def __call__(self, text: str) -> Tokens:
        ids: list[int] = self._tokenizer.encode(text).ids
        dropped = max(len(ids) - self.length, 0)
        if dropped:
            ids = [*ids[: self.length - 1], ids[-1]]
        return Tokens(ids + [self._pad_id] * (self.length - len(ids)), dropped)


def _read(folder: Path) -> Tokenizer:
    whole = folder / "tokenizer.json"
    if whole.is_file():
        return _from_json(whole)
    vocabulary: dict[str, int] = json.loads((folder / "vocab.json").read_text("utf-8"))
    lines = (folder / "merges.txt").read_text("utf-8").splitlines()
    merges = [(a, b) for a, _, b in (line.partition(" ") for line in lines) if a and b]
    return _clip(vocabulary, [pair for pair in merges if not pair[0].startswith("#version")])


def _from_json(path: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as exc:  # the library raises bare Exception
        raise ValueError(f"{path.name}: {exc}") from exc
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _clip(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    model = BPE(
        vocab=vocabulary,
        merges=merges,
        continuing_subword_prefix="",
        end_of_word_suffix="</w>",
        unk_token=END,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.post_processor = processors.RobertaProcessing(
        (END, vocabulary[END]), (START, vocabulary[START]), False, False
    )
    tokenizer.add_special_tokens([START, END])  # pyright: ignore[reportUnknownMemberType]
    return tokenizer


def _pad_token(folder: Path) -> str:
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (folder / name).is_file():
            token: Any = json.loads((folder / name).read_text("utf-8")).get("pad_token")
            if isinstance(token, dict):
                token = cast(dict[str, Any], token).get("content")
            if isinstance(token, str):
                return token
    return END
