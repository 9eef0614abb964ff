"""What a header that can be read says: names, shapes, types and metadata that are out of place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sidecar.catalog.safetensors_header import Header, TensorInfo
from sidecar.scan.addresses import is_contact, is_known, mails, urls
from sidecar.scan.findings import Finding, shown

MAX_SIDE = 1 << 20
MAX_DIMENSIONS = 5
MAX_NAME = 512
MAX_VALUE = 4 * 1024 * 1024
"""Characters of one metadata value; kohya's table of tags may well take a few hundred thousand."""
FEW = 16
"""Elements up to which a tensor may be of any type: counters, ranks, flags."""

_FLOATS = frozenset({"F16", "BF16", "F32", "F64", "F8_E4M3", "F8_E5M2"})
_KEYS = re.compile(
    r"(?i)^(?:__\w+__|constructor|prototype|pickle|.*(?:trust_remote_code|auto_?run|on_?load"
    r"|post_?install|exec(?:ute)?|shell|command|cmd))$"
)
_ACTIVE = re.compile(
    r"(?i)<script\b|<iframe\b|<img[^>]{0,80}\bonerror|javascript:|vbscript:|data:text/html"
    r"|\bfile://|powershell(?:\.exe)?\s+-|\bcmd(?:\.exe)?\s+/c|\bcurl\s[^|\n]{1,200}\|\s*(?:ba)?sh"
    r"|\b__import__\(|\bos\.system\("
)
_ENCODED = (
    (re.compile(r"TVqQAAMAAAAEAAAA"), "a Windows program"),
    (re.compile(r"f0VMRgIBAQ|f0VMRgEBAQ"), "a Linux program"),
    (re.compile(r"\bUEsDBBQA"), "a zip archive"),
    (re.compile(r"\bgASV[A-Za-z0-9+/]{12}"), "a Python pickle"),
)
# Control characters but tab and line ends; zero-width and direction-changing ones; surrogates.
_ODD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
    "\ud800-\udfff]"
)


def look_at_header(header: Header) -> Iterator[Finding]:
    """Everything that is odd about a header whose layout is right."""
    for key in header.not_text:
        yield Finding("metadata_not_text", shown(key))
    for name in header.odd_entries:
        yield Finding("odd_entry", shown(name))
    for name, info in header.tensors.items():
        yield from _tensor(name, info)
    for key, value in header.metadata.items():
        yield from _metadata(key, value)


def _tensor(name: str, info: TensorInfo) -> Iterator[Finding]:
    where = shown(name)
    elements = 1
    for side in info.shape:
        elements *= side
    if elements == 0:
        yield Finding("empty_tensor", where)
    if len(info.shape) > MAX_DIMENSIONS or max(info.shape, default=0) > MAX_SIDE:
        yield Finding("odd_shape", where, shown(str(list(info.shape))))
    if info.dtype not in _FLOATS and elements > FEW:
        yield Finding("odd_dtype", where, info.dtype)
    if len(name) > MAX_NAME or ".." in name or name.startswith(("/", "\\", "~")) or not name:
        yield Finding("odd_name", where)
    yield from _text(where, name)


def _metadata(key: str, value: str) -> Iterator[Finding]:
    where = shown(key)
    if _KEYS.match(key):
        yield Finding("odd_key", where)
    if len(value) > MAX_VALUE:
        yield Finding("large_metadata", where, f"{len(value) // 1_000_000} MB")
        value = value[:MAX_VALUE]
    yield from _text(where, key)
    yield from _text(where, value)
    for pattern, what in _ENCODED:
        if pattern.search(value):
            yield Finding("encoded_executable", where, what)
    active = _ACTIVE.search(value)
    if active:
        yield Finding("active_content", where, shown(active.group()))


def _text(where: str, text: str) -> Iterator[Finding]:
    if _ODD.search(text):
        yield Finding("odd_characters", where)
    data = text.encode("utf-8", "replace")
    for _, url in urls(data):
        yield Finding("known_address" if is_known(url) else "address", where, shown(url))
    for _, mail in mails(data):
        yield Finding("known_address" if is_contact(where) else "address", where, shown(mail))
