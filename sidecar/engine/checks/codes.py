"""QR codes and bar codes, by zxing-cpp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import zxingcpp
from PIL import Image

_zxing: Any = zxingcpp
SQUARE = "qr_code"
LINEAR = "bar_code"
SHORTEST = 4
"""Characters of a linear code; shorter ones are found in stripes of any kind."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Code:
    """`kind`: "qr_code" (also Aztec, Data Matrix and other squares) or "bar_code"."""

    kind: str
    text: str
    box: Box


def codes(picture: Image.Image) -> list[Code]:
    """Of an RGB or grey picture."""
    found: list[Code] = []
    for code in _zxing.read_barcodes(np.asarray(picture.convert("L"))):
        kind = LINEAR if _is_linear(code) else SQUARE
        if kind == SQUARE or len(code.text) >= SHORTEST:
            found.append(Code(kind, str(code.text), _box(code.position)))
    return found


def _is_linear(code: Any) -> bool:
    return not any(
        name in str(code.format).replace(" ", "") for name in ("QR", "Aztec", "Matrix", "Maxi")
    )


def _box(position: Any) -> Box:
    corners = (
        position.top_left,
        position.top_right,
        position.bottom_right,
        position.bottom_left,
    )
    xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
