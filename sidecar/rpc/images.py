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
OTHER_FORMATS = (
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"8BPS", "PSD"),
    (0, b"%PDF", "PDF"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "SVG"),
)
"""What people send that is not read here: where the signature begins, it, and the name."""


def read_image(image: ImageIn) -> bytes:
    """The encoded picture. Raises ImageUnreadable, also for what is no PNG, JPEG or WebP."""
    data = _from_data_url(image.data_url) if image.data_url is not None else _from_file(image.path)
    if mime_of(data) is None:
        raise _no_picture(data)
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
        raise ImageUnreadable(problem="data_url")
    if len(body) > MAX_BYTES * 4 // 3 + 4:
        raise ImageUnreadable(problem="bytes")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as exc:
        raise ImageUnreadable(problem="base64") from exc


def _from_file(path: str | None) -> bytes:
    if path is None or "\0" in path or not os.path.isabs(path):
        raise ImageUnreadable(problem="relative")
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            raise ImageUnreadable(problem="not_a_file", path=path)
        if found.st_size > MAX_BYTES:
            raise ImageUnreadable(problem="bytes")
        with open(path, "rb") as file:
            return file.read(MAX_BYTES)
    except OSError as exc:
        raise ImageUnreadable(problem=_file_problem(exc), path=path, said=exc.strerror) from exc


def _file_problem(exc: OSError) -> str:
    if isinstance(exc, FileNotFoundError | NotADirectoryError):
        return "gone"
    return "forbidden" if isinstance(exc, PermissionError) else "file"


def _no_picture(data: bytes) -> ImageUnreadable:
    """Says what it is where that is known: a file's name often tells another story."""
    if not data:
        return ImageUnreadable(problem="empty")
    for start, signature, name in OTHER_FORMATS:
        if data.startswith(signature, start):
            return ImageUnreadable(problem="format", format=name)
    return ImageUnreadable(problem="no_picture")


def mime_of(data: bytes) -> str | None:
    """Told by the first bytes; None for what is no PNG, JPEG or WebP."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None
