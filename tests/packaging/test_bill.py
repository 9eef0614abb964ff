"""The bill of materials: nothing goes into a frozen program that it does not know."""

from __future__ import annotations

from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest

from sidecar.paths import package_root
from tools.assets.table import SOURCES
from tools.freeze import libraries, networks
from tools.freeze.bill import licenses
from tools.freeze.parts import Part, packaged, standing_in

LORAS = Path(__file__).parents[2] / "loras"


def entry(place: str, source: str = "/somewhere/else") -> tuple[str, str, str]:
    return place, source, "BINARY"


def test_a_library_that_nobody_knows_ends_the_freeze_with_a_sentence() -> None:
    with pytest.raises(SystemExit, match=r"libstrange\.so\.3 \(from /opt/libstrange\.so\.3\)"):
        libraries.parts([entry("libstrange.so.3", "/opt/libstrange.so.3")], [])


def test_a_network_that_nobody_knows_ends_the_freeze_with_a_sentence() -> None:
    with pytest.raises(SystemExit, match=r"mystery\.onnx would be in the frozen program"):
        networks.parts([entry("sidecar/assets/checks/mystery.onnx")])


def test_every_network_that_is_fetched_or_ours_is_known_with_the_version_fetched() -> None:
    assets = [path for path in (package_root() / "assets").rglob("*") if path.is_file()]
    places = [
        f"sidecar/assets/{p.relative_to(package_root() / 'assets').as_posix()}" for p in assets
    ]
    styles = [f"sidecar/assets/loras/{path.name}" for path in LORAS.iterdir()]
    found = networks.parts([entry(place) for place in (*places, *styles)])
    assert {part.name for part in found} == {row.name for row in networks.KNOWN}
    fetched = {source.wheel.package for source in SOURCES}
    assert {row.package for row in networks.KNOWN if row.package} == fetched


def test_each_library_is_told_apart_by_its_name() -> None:
    names = ("libssl.so.3", "libcrypto-3.dll", "libz.so.1", "libsqlite3.so.0", "libgomp.so.1")
    rows = [libraries.row_of(name) for name in names]
    assert [row and row.name for row in rows] == ["OpenSSL", "OpenSSL", "zlib", "SQLite", "libgomp"]
    assert libraries.row_of("libzstd-40ad5e7e.so.1.5.7") is None


def test_where_the_system_has_no_licence_texts_those_that_ship_with_us_stand_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "COMMON", tmp_path)
    monkeypatch.setattr(libraries, "DOCUMENTS", tmp_path)
    monkeypatch.setattr(libraries.shutil, "which", lambda _: None)
    names = ("libssl.so.3", "libffi.so.8", "libsqlite3.so.0", "liblzma.so.5", "libbz2.so.1.0")
    more = ("libz.so.1", "libexpat.so.1", "libgcc_s.so.1", "libstdc++.so.6", "libgomp.so.1")
    _, *parts = libraries.parts([entry(name) for name in (*names, *more)], [])
    texts = {part.name: " ".join(part.texts) for part in parts}
    assert set(texts) >= {"OpenSSL", "libffi", "SQLite", "XZ Utils", "bzip2", "zlib", "Expat"}
    for name in ("libgcc", "libstdc++", "libgomp"):
        assert "GCC RUNTIME LIBRARY EXCEPTION" in texts[name]
        assert "TERMS AND CONDITIONS" in texts[name]


def test_a_library_of_a_package_stands_with_the_package() -> None:
    numpy = distribution("numpy")
    core = next(f for f in numpy.files or [] if f.name.startswith("_multiarray_umath"))
    own = (str(core), str(core.locate()), "EXTENSION")
    (_, part) = libraries.parts([own], [numpy])
    assert (part.name, part.places) == ("numpy", (core.as_posix(),))


def test_a_package_without_a_licence_text_gets_the_one_that_it_names() -> None:
    part = packaged(distribution("tokenizers"), [])
    assert part.license == "Apache-2.0"
    assert "TERMS AND CONDITIONS" in part.texts[0]


def test_a_part_that_brings_no_text_and_has_no_stand_in_ends_the_freeze() -> None:
    with pytest.raises(SystemExit, match="thing brings no licence text"):
        standing_in("Unheard-Of-1.0", "thing")


def test_no_installed_package_loses_an_exact_expression_to_a_vague_word() -> None:
    told = {
        one.name: (one.metadata["License-Expression"], packaged(one, []).license)
        for one in distributions()
        if one.metadata.get("License-Expression") and one.name in ("numpy", "regex", "torch")
    }
    assert told
    assert all(expression == license for expression, license in told.values())


def test_a_text_is_printed_once_and_referred_to_afterwards() -> None:
    parts = [Part(name, "1", "MIT", ("Be kind.",)) for name in ("first", "second")]
    said = licenses(parts)
    assert said.count("Be kind.") == 1
    assert "second 1" in said
    assert "(the same text as of first 1, above)" in said
