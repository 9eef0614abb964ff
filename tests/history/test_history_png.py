"""Texts in pictures, read back by us and by an independent reader."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sidecar.history.png import NotPng, read_text, with_text
from sidecar.history.recipe import PNG, WEBP, Recipe, embed, read_recipe
from tests.history.history_samples import parameters, png


def recipe(prompt: str = "red apple") -> Recipe:
    return Recipe(
        id="20260101-000000-000-00000000",
        sequence=4,
        created="2026-01-01T00:00:00.000Z",
        width=8,
        height=8,
        parameters=parameters(prompt=prompt),
        thumbnail="dHVtYg==",
    )


def encoded(form: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (8, 8), "teal").save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("prompt", ["red apple", "naïve café", "红苹果", "🍎 a\nb", '<&> \\ "q"'])
def test_pil_reads_both_texts_and_the_same_pixels(prompt: str) -> None:
    plain = encoded("PNG")
    data = embed(plain, PNG, recipe(prompt))
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.tobytes() == Image.open(io.BytesIO(plain)).tobytes()
        assert image.info["parameters"].startswith(prompt)
        ours = json.loads(image.info["lora-sidecar"])
    assert ours["parameters"]["prompt"] == prompt
    found = read_recipe(data, PNG)
    assert found is not None
    assert found.recipe == recipe(prompt)
    assert found.thumbnail == b"tumb"


@given(st.text())
def test_any_text_comes_back_but_for_nul(text: str) -> None:
    assert read_text(with_text(png(), {"parameters": text})) == {
        "parameters": text.replace("\0", "")
    }


def test_texts_are_replaced_not_repeated() -> None:
    data = with_text(with_text(png(), {"a": "1", "b": "2"}), {"a": "3"})
    assert read_text(data) == {"a": "3", "b": "2"}
    assert data.count(b"tEXt") == 2


def test_texts_stand_before_the_pixels() -> None:
    data = with_text(png(), {"a": "1"})
    assert data.index(b"tEXt") < data.index(b"IDAT")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_png_are_refused(data: bytes) -> None:
    with pytest.raises(NotPng):
        read_text(data)
    assert read_recipe(data, PNG) is None
    assert read_recipe(data, WEBP) is None


@given(st.integers(0, 400))
def test_a_cut_off_png_is_refused(length: int) -> None:
    data = with_text(png(), {"parameters": "x" * 300})
    if length < len(data):
        with pytest.raises(NotPng):
            read_text(data[:length])


def test_a_text_with_a_wrong_checksum_is_left_out() -> None:
    data = with_text(png(), {"parameters": "steps"})
    assert read_text(data.replace(b"steps", b"stepz")) == {}


@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {}), ("RGB", {"lossless": True}), ("RGBA", {"lossless": True}), ("RGBA", {})],
)
def test_webp_carries_the_recipe_as_xmp(mode: str, options: dict[str, object]) -> None:
    plain = encoded("WEBP", mode, **options)
    data = embed(plain, WEBP, recipe("红 <apple> & co"))
    with Image.open(io.BytesIO(data)) as image, Image.open(io.BytesIO(plain)) as before:
        assert image.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()
        assert b"urn:lora-sidecar:recipe" in image.info["xmp"]
    found = read_recipe(data, WEBP)
    assert found is not None
    assert found.recipe == recipe("红 <apple> & co")
    assert embed(data, WEBP, recipe()).count(b"XMP ") == 1


@pytest.mark.parametrize("mime", [PNG, WEBP, "image/jpeg"])
def test_a_picture_that_is_not_what_it_says_is_kept_as_it_is(mime: str) -> None:
    assert embed(b"something else", mime, recipe()) == b"something else"
