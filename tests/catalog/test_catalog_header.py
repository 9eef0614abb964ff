"""Headers of safetensors files: what the reference reader takes, and what it refuses."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from sidecar.catalog.safetensors_header import BrokenHeader, Header, TensorInfo, read_header
from sidecar.paths import bundled_lora_folder
from tests.catalog.catalog_samples import raw_file


def entry(start: int = 0, end: int = 4, **changes: object) -> dict[str, object]:
    return {"dtype": "F16", "shape": [2], "data_offsets": [start, end], **changes}


def read(tmp_path: Path, content: bytes) -> Header:
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    return read_header(path)


def test_a_file_of_the_reference_writer_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    tensors = {"a": np.zeros((2, 3), np.float32), "b": np.zeros((0, 5), np.int8), "c": np.ones(())}
    save_file(tensors, path, metadata={"note": "ü"})
    header = read_header(path)
    assert header.tensors["a"] == TensorInfo("F32", (2, 3))
    assert header.tensors["b"].shape == (0, 5)
    assert header.tensors["c"].shape == ()
    assert header.metadata == {"note": "ü"}


def test_the_bundled_files_are_read() -> None:
    for path in bundled_lora_folder().glob("*.safetensors"):
        assert read_header(path).tensors


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x02" + bytes(6),
        b"\xff" * 8,
        raw_file({"a": entry()}),
        raw_file({"a": entry()}, bytes(5)),
        raw_file({"a": entry(2, 6)}, bytes(6)),
        raw_file({"a": entry(), "b": entry(2, 6)}, bytes(6)),
        raw_file({"a": entry(0, 6)}, bytes(6)),
        raw_file({"a": entry(4, 0)}, bytes(4)),
        raw_file({"a": entry(dtype="F17")}, bytes(4)),
        raw_file({"a": entry(dtype=["F16"])}, bytes(4)),
        raw_file({"a": entry(shape=[-2])}, bytes(4)),
        raw_file({"a": entry(shape=[True, 2])}, bytes(4)),
        raw_file({"a": entry(shape=[2.0])}, bytes(4)),
        raw_file({"a": entry(shape=[2**62, 2**62])}, bytes(4)),
        raw_file({"a": entry(shape=2)}, bytes(4)),
        raw_file({"a": entry(data_offsets=[0])}, bytes(4)),
        raw_file({"a": [1]}),
        raw_file({"a": 1}),
        raw_file({"a": None}),
        raw_file({"a": entry(shape=None)}, bytes(4)),
        raw_file({"a": entry(shape={})}, bytes(4)),
        raw_file({"a": entry(data_offsets="04")}, bytes(4)),
        raw_file({"a": entry(data_offsets=[0, 2, 4])}, bytes(4)),
        raw_file({"a": entry(data_offsets=[False, 4])}, bytes(4)),
        raw_file({"a": entry(data_offsets=None)}, bytes(4)),
        raw_file({"a": entry(dtype={})}, bytes(4)),
        raw_file({"__metadata__": "text"}),
        raw_file(b"[]"),
        raw_file(b"[" * 200_000),
        raw_file(b'{"a": '),
        raw_file(
            b'{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},'
            b' "a": {"dtype": "U8", "shape": [2], "data_offsets": [2, 4]}}',
            bytes(4),
        ),
        raw_file(b"\xff\xfe"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BrokenHeader):
        read(tmp_path, content)


def test_a_huge_header_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    with open(path, "wb") as file:
        file.write((2**27).to_bytes(8, "little"))
        file.truncate(2**28)
    with pytest.raises(BrokenHeader, match="claims 134 MB"):
        read_header(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(BrokenHeader):
        assert read(Path(folder), content).tensors is not None
