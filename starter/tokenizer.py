"""Stage `tokenizer`: a tiny BPE vocabulary in CLIP's file format, learnt from the captions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from starter.art import STYLES, Art
from starter.colour import COLOURS
from starter.subjects import SUBJECTS, TEMPLATES, names_of

MAX_LENGTH = 16
MERGES = 1536
START, END = "<|startoftext|>", "<|endoftext|>"
COMMON_WORDS = (
    "a an the emoji of flat style drawing picture icon simple cute in on with and photo sketch "
    "illustration outline big small tiny happy sad black white brown grey light dark night "
    "painting art bright old new colourful colorful"
)


def byte_characters() -> list[str]:
    """The 256 printable characters that stand for bytes in byte-level BPE (GPT-2, CLIP)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = {b: chr(b) for b in printable}
    unprintable = [b for b in range(256) if b not in characters]
    characters.update({b: chr(256 + i) for i, b in enumerate(unprintable)})
    return [characters[b] for b in [*printable, *unprintable]]


def sentences(icon_names: list[str]) -> Iterator[str]:
    """What the merges are learnt from: our captions often, all other icon names once."""
    for subject in SUBJECTS:
        for name in names_of(subject):
            yield from [name] * 20
    for words in (COMMON_WORDS, " ".join(COLOURS), " ".join(STYLES), *TEMPLATES):
        yield from [words.replace("{}", " ")] * 30
    for name in icon_names:
        yield name.replace("-", " ")


def learn_merges(texts: Iterator[str]) -> list[tuple[str, str]]:
    model = Tokenizer(
        models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>", fuse_unk=False)
    )
    model.normalizer = normalizers.Lowercase()
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    model.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=MERGES,
            min_frequency=2,
            special_tokens=[],
            end_of_word_suffix="</w>",
            show_progress=False,
        ),
    )
    found = json.loads(model.to_str())["model"]["merges"]
    return [tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in found]


def build_tokenizer(work: Path) -> None:
    """Write `work/tokenizer`, loadable with CLIPTokenizer.from_pretrained."""
    folder = work / "tokenizer"
    if (folder / "vocab.json").exists():
        return
    icon_names = sorted({key.split("|")[0] for key in Art(work).keys})
    merges = learn_merges(sentences(icon_names))
    letters = byte_characters()
    words = [*letters, *(c + "</w>" for c in letters), *("".join(m) for m in merges)]
    vocabulary = [*list(dict.fromkeys(words)), START, END]
    folder.mkdir(parents=True, exist_ok=True)
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    settings = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": MAX_LENGTH,
        **special,
        "do_lower_case": True,
        "add_prefix_space": False,
        "errors": "replace",
    }
    numbered = {word: i for i, word in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(numbered, ensure_ascii=False))
    lines = "\n".join(" ".join(m) for m in merges)
    (folder / "merges.txt").write_text(f"#version: 0.2\n{lines}\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=1) + "\n")
    print(f"tokenizer: {len(vocabulary)} tokens", flush=True)


def load_tokenizer(work: Path) -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(work / "tokenizer")
