"""The recipe inside the picture: enough to bring an entry back when its row is lost."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from sidecar import __version__
from sidecar.history.infotext import infotext
from sidecar.history.png import NotPng, file_with_text, read_text, with_text
from sidecar.history.webp import NotWebp, read_xmp, with_xmp
from sidecar.protocol.pictures import PictureParameters

PNG_KEYWORD = "lora-sidecar"
A1111_KEYWORD = "parameters"
PNG, WEBP = "image/png", "image/webp"

_XMP = re.compile(rb"<sidecar:recipe>(.*?)</sidecar:recipe>", re.DOTALL)
_XMP_PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:sidecar="urn:lora-sidecar:recipe">'
    "<sidecar:recipe>{recipe}</sidecar:recipe>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


class Recipe(BaseModel):
    """What the JSON in a picture says. `thumbnail`: WebP in base64."""

    model_config = ConfigDict(defer_build=True)

    version: int = 1
    software: str = f"LoRA Sidecar {__version__}"
    id: str
    sequence: int
    created: str
    width: int
    height: int
    parameters: PictureParameters
    thumbnail: str = ""


@dataclass(frozen=True)
class Found:
    """A recipe read back, with its thumbnail as bytes."""

    recipe: Recipe
    thumbnail: bytes


def embed(data: bytes, mime: str, recipe: Recipe) -> bytes:
    """`data` with the recipe inside: as PNG texts or as XMP in WebP, else unchanged.

    A picture that is not what `mime` says is kept as it is too: it is never lost for its recipe.
    """
    text = json.dumps(recipe.model_dump(mode="json"), separators=(",", ":"))
    try:
        if mime == PNG:
            return with_text(data, _png_texts(recipe))
        if mime == WEBP:
            packet = _XMP_PACKET.format(recipe=_escaped(text)).encode()
            return with_xmp(data, packet, recipe.width, recipe.height)
    except (NotPng, NotWebp):
        return data
    return data


def embed_in_file(path: Path, recipe: Recipe) -> tuple[int, Iterable[bytes]]:
    """The size and the parts of a PNG file with the recipe inside; the file itself stays."""
    return file_with_text(path, _png_texts(recipe))


def _png_texts(recipe: Recipe) -> dict[str, str]:
    text = json.dumps(recipe.model_dump(mode="json"), separators=(",", ":"))
    return {A1111_KEYWORD: infotext(recipe.parameters, __version__), PNG_KEYWORD: text}


def read_recipe(data: bytes, mime: str) -> Found | None:
    """The recipe in a picture, or None when there is none that can be read."""
    try:
        text = _text_in(data, mime)
        if text is None:
            return None
        recipe = Recipe.model_validate_json(text)
        return Found(recipe, base64.b64decode(recipe.thumbnail))
    except (NotPng, NotWebp, ValidationError, ValueError):
        return None


def _text_in(data: bytes, mime: str) -> str | None:
    if mime == PNG:
        return read_text(data).get(PNG_KEYWORD)
    match = _XMP.search(read_xmp(data) or b"")
    return _unescaped(match.group(1).decode()) if match else None


def _escaped(text: str) -> str:
    """As XML wants it; quotes may stand as they are."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
