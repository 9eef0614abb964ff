"""Pictures without a codec, for the fake engine: plain colour, sizes out of headers."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from pathlib import Path

from sidecar.engine.contract import (
    CancelToken,
    Checked,
    CheckSpec,
    Emit,
    EnhanceSpec,
    Finished,
    Found,
    Frame,
    ImageReady,
    Progress,
    UpscaleSpec,
)

PIECES = 4
UNKNOWN_SIZE = (64, 64)
TINY_WEBP = (  # 8 x 8 pixels of one colour, lossless
    b'RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0/\x07\xc0\x01\0\x07P\xbc"\x17\xa5\xff\x81\x88\xe8\x7f\0\0'
)


def colour_png(width: int, height: int, rgb: tuple[int, int, int], padding: int = 0) -> bytes:
    """A PNG of one colour (W3C PNG specification, colour type 2), with that many bytes more."""
    rows = (b"\0" + bytes(rgb) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows))
    if padding:
        body += _chunk(b"paDd", bytes(padding))
    return b"\x89PNG\r\n\x1a\n" + body + _chunk(b"IEND", b"")


def checked(prompt: str, checks: CheckSpec) -> Checked:
    """A code is found where the prompt says `[code]` and codes are looked for."""
    made = tuple(name for name in ("nsfw", "codes", "text") if getattr(checks, name) != "off")
    if "codes" not in made or "[code]" not in prompt:
        return Checked(made)
    found = Found("codes", "qr_code", checks.codes, 1.0, "https://example.org", (4, 4, 20, 20))
    return Checked(made, (found,), checks.codes == "block")


def size_of(data: bytes) -> tuple[int, int]:
    """Of a PNG."""
    if data[12:16] != b"IHDR":
        return UNKNOWN_SIZE
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def upscale(job_id: str, spec: UpscaleSpec, emit: Emit, cancel: CancelToken) -> Finished:
    """A plain picture of the right size, in a file as the real one."""
    width, height = (side * spec.scale for side in size_of(spec.image))
    emit(Frame(job_id, 0, 0, 1, True, "image/webp", 8, 8, TINY_WEBP))
    for piece in range(1, PIECES + 1):
        cancel.check()
        emit(Progress(job_id, "upscale", piece, PIECES))
    red, green, blue = hashlib.sha256(spec.image).digest()[:3]
    file = Path(spec.folder) / f".upscaled.{os.urandom(8).hex()}.tmp"
    file.write_bytes(colour_png(width, height, (red, green, blue)))
    emit(
        ImageReady(
            job_id=job_id,
            index=0,
            seed=0,
            mime="image/png",
            width=width,
            height=height,
            data=b"",
            thumbnail=TINY_WEBP,
            file=str(file),
            enlarged=spec.scale,
        )
    )
    return Finished("onnx", "upscale_asked", "FakeProvider", upscale_ms=0.1)


def enhance(job_id: str, spec: EnhanceSpec, emit: Emit, cancel: CancelToken) -> Finished:
    """The same; the path that was asked for is taken."""
    upscale(job_id, spec.upscale, emit, cancel)
    path = "diffusion" if spec.path == "diffusion" else "onnx"
    why = "enhance_asked" if spec.path != "auto" else "enhance_no_gpu"
    return Finished(path, why, "FakeProvider", upscale_ms=0.1)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
