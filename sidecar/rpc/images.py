"""Pictures that come in and go out: bytes, data URLs, files. Nothing is decoded here."""

from __future__ import annotations

import base64
import binascii
import os
import stat

from sidecar.errors import ImageUnreadable
from sidecar.protocol.base import ImageIn, ImageOut

MAX_BYTES = 64 * 1024 * 1024
SMALL_BYTES = 512 * 1024


def read_image(image: ImageIn) -> bytes:
    """The encoded picture. Raises ImageUnreadable, also for what is no PNG, JPEG or WebP."""
    data = _from_data_url(image.data_url) if image.data_url is not None else _from_file(image.path)
    if mime_of(data) is None:
        raise ImageUnreadable(reason="it is no PNG, JPEG or WebP picture")
    return data


def data_url(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def small_picture(path: str) -> str | None:
    """A picture file as a data URL; None when it is large, gone, or none."""
    try:
        with open(path, "rb") as file:
            data = file.read(SMALL_BYTES + 1)
    except OSError:
        return None
    mime = mime_of(data)
    return None if mime is None or len(data) > SMALL_BYTES else data_url(mime, data)


def inline_image(mime: str, width: int, height: int, data: bytes) -> ImageOut:
    url = data_url(mime, data)
    return ImageOut(mime=mime, width=width, height=height, bytes=len(data), path=None, data_url=url)


def _from_data_url(url: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise ImageUnreadable(reason="the data URL is not of the form data:image/…;base64,…")
    if len(body) > MAX_BYTES * 4 // 3 + 4:
        raise ImageUnreadable(reason="it is larger than 64 MiB")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as exc:
        raise ImageUnreadable(reason="its base64 is broken") from exc


def _from_file(path: str | None) -> bytes:
    if path is None or "\0" in path or not os.path.isabs(path):
        raise ImageUnreadable(reason="its path is not absolute")
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise ImageUnreadable(reason="it is not a file")
        if found.st_size > MAX_BYTES:
            raise ImageUnreadable(reason="it is larger than 64 MiB")
        with open(path, "rb") as file:
            return file.read(MAX_BYTES)
    except OSError as exc:
        raise ImageUnreadable(reason=f"{path}: {exc.strerror}") from exc


def mime_of(data: bytes) -> str | None:
    """Told by the first bytes; None for what is no PNG, JPEG or WebP."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
