"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

from sidecar.scan.findings import Finding

# In the order in which they are tried. A safetensors file begins with the length of its header,
# eight bytes little-endian, of which the last four are zero in every honest file, then "{".
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive or a pickled checkpoint"),
    (b"PK\x05\x06", "a zip archive"),
    (b"\x7fELF", "a Linux program (ELF)"),
    (b"MZ", "a Windows program (MZ)"),
    (b"#!", "a script"),
    (b"\xcf\xfa\xed\xfe", "a macOS program (Mach-O)"),
    (b"\xce\xfa\xed\xfe", "a macOS program (Mach-O)"),
    (b"\xfe\xed\xfa\xcf", "a macOS program (Mach-O)"),
    (b"\xfe\xed\xfa\xce", "a macOS program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "a macOS program or a Java class"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF-", "a PDF document"),
    (b"GGUF", "a GGUF model"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x00asm", "a WebAssembly program"),
)
_PICKLE = "a Python pickle, which can run code,"
_PICKLE_PROTOCOLS = b"\x02\x03\x04\x05"
_TEXT = (b"<!doctype", b"<html", b"<?xml", b"<?php", b"<script")
_OLD_PICKLES = (
    b"(dp",
    b"(lp",
    b"ccollections",
    b"c__builtin__",
    b"cos\n",
    b"cposix\n",
    b"c__main__",
)


def what_it_is(head: bytes) -> Finding | None:
    """`head`: at least the first 16 bytes of the file. None when it may be safetensors."""
    if len(head) > 8 and head[8:9] == b"{" and head[5:8] == bytes(3):
        return None  # a header's length may begin with any of these letters
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return Finding("foreign_file", detail=name, offset=0)
    if head[1:2] in _PICKLE_PROTOCOLS and head[:1] == b"\x80":
        return Finding("foreign_file", detail=_PICKLE, offset=0)
    if head.startswith(_OLD_PICKLES):
        return Finding("foreign_file", detail=_PICKLE, offset=0)
    if head.lstrip().lower().startswith(_TEXT):
        return Finding("foreign_file", detail="a web page", offset=0)
    if b"version https://git-lfs" in head:
        return Finding("foreign_file", detail="a Git LFS pointer", offset=0)
    return None
