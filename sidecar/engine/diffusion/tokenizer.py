"""Prompts to token ids, as CLIP's tokenizer does it."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE

from sidecar.errors import AssetMissing

START, END = "<|startoftext|>", "<|endoftext|>"
ZERO = "!"  # what OpenCLIP fills prompts with: the token of id 0
CLIP_MERGES = 48894
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
    """`length`: tokens of a prompt with its marks and padding. `pad`: the token it is filled with.

    Raises ValueError when the vocabulary lacks `pad`.
    """

    def __init__(self, tokenizer: Tokenizer, pad: str, length: int) -> None:
        self.length = length
        self._tokenizer = tokenizer
        pad_id = tokenizer.token_to_id(pad)
        if pad_id is None:
            raise ValueError(f"the tokenizer has no token {pad}")
        self._pad_id: int = pad_id

    @staticmethod
    def of_folder(folder: Path, length: int) -> PromptTokenizer:
        """From `tokenizer.json`, or `vocab.json` and `merges.txt`, of a diffusers folder.

        Raises OSError or ValueError where the files are missing or broken.
        """
        return PromptTokenizer(_read(folder), _pad_token(folder), length)

    @staticmethod
    def of_clip(vocabulary: Path, pad: str, length: int) -> PromptTokenizer:
        """CLIP's own, from the vocabulary that came with the package. Raises AssetMissing."""
        return PromptTokenizer(_read_clip(vocabulary), pad, length)

    def padded_with(self, pad: str) -> PromptTokenizer:
        """The same words and the same length, filled with another token."""
        return PromptTokenizer(self._tokenizer, pad, self.length)

    def __call__(self, text: str) -> Tokens:
        ids: list[int] = self._tokenizer.encode(text).ids
        dropped = max(len(ids) - self.length, 0)
        if dropped:
            ids = [*ids[: self.length - 1], ids[-1]]
        return Tokens(ids + [self._pad_id] * (self.length - len(ids)), dropped)


def _read_clip(path: Path) -> Tokenizer:
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    except FileNotFoundError as exc:
        raise AssetMissing(asset=path.name) from exc
    merges = [(a, b) for a, _, b in (line.partition(" ") for line in lines[1 : CLIP_MERGES + 1])]
    signs = _byte_signs()
    words = [*signs, *(f"{sign}</w>" for sign in signs), *(a + b for a, b in merges), START, END]
    return _clip({word: i for i, word in enumerate(words)}, merges)


def _byte_signs() -> list[str]:
    """A printable character for each byte, in the order of CLIP's vocabulary."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [*map(chr, printable), *(chr(256 + i) for i in range(256 - len(printable)))]


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
