"""Small pictures and recipes for the tests of the history. Needs no codec."""

import struct
import zlib
from typing import Any

from sidecar.history import NewPicture
from sidecar.protocol.lora import StackEntry
from sidecar.protocol.pictures import PictureParameters

THUMBNAIL = b"RIFF-thumbnail"


def png(side: int = 8, shade: int = 200) -> bytes:
    """A grey square."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes([shade]) * side) * side)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def parameters(**changes: Any) -> PictureParameters:
    values: dict[str, Any] = {
        "prompt": "red apple",
        "negative_prompt": "",
        "width": 128,
        "height": 128,
        "steps": 14,
        "guidance_scale": 2.5,
        "sampler": "dpmpp_2m_karras",
        "seed": 7,
        "model": "starter",
        "family": "starter",
        "loras": [StackEntry(name="ink", alpha=0.7, sha256="ab" * 32)],
    }
    return PictureParameters(**{**values, **changes})


def new_picture(**changes: Any) -> NewPicture:
    values: dict[str, Any] = {
        "data": png(),
        "mime": "image/png",
        "width": 8,
        "height": 8,
        "thumbnail": THUMBNAIL,
        "parameters": parameters(),
    }
    return NewPicture(**{**values, **changes})
