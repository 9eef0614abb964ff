"""NaN and infinities among the numbers of a tensor, found without unpacking them.

A floating-point number is not finite when all bits of its exponent are set (IEEE 754), which the
one or two highest bytes tell. Slices with a stride bring those together, and `bytes.find` looks
for the values at several gigabytes a second; honest tensors have none of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class _Format:
    """`size` bytes each, little-endian. A number is special when its highest byte is one of `top`
    and the byte below it has all bits of `below`."""

    size: int
    top: bytes
    below: int = 0


_FIVE_BITS = bytes([*range(0x7C, 0x80), *range(0xFC, 0x100)])
_EIGHT_BITS = b"\x7f\xff"
_FORMATS: dict[str, _Format] = {
    "F16": _Format(2, _FIVE_BITS),
    "BF16": _Format(2, _EIGHT_BITS, 0x80),
    "F32": _Format(4, _EIGHT_BITS, 0x80),
    "C64": _Format(4, _EIGHT_BITS, 0x80),
    "F64": _Format(8, _EIGHT_BITS, 0xF0),
    "F8_E5M2": _Format(1, _FIVE_BITS),
    "F8_E4M3": _Format(1, _EIGHT_BITS),
    "F8_E4M3FNUZ": _Format(1, b"\x80"),
    "F8_E5M2FNUZ": _Format(1, b"\x80"),
    "F8_E8M0": _Format(1, b"\xff"),
}


def is_finite(dtype: str, data: bytes) -> bool:
    """Whether all numbers in `data` (whole elements of that safetensors dtype) are finite."""
    form = _FORMATS.get(dtype)
    if form is None:
        return True
    high = data[form.size - 1 :: form.size]
    if not form.below:
        return all(high.find(byte) < 0 for byte in form.top)
    return not any(_has_all(data, form, high, byte) for byte in form.top)


def _has_all(data: bytes, form: _Format, high: bytes, byte: int) -> bool:
    """Whether any number with that highest byte has the bits below set too."""
    index = high.find(byte)
    while index >= 0:
        if data[index * form.size + form.size - 2] & form.below == form.below:
            return True
        index = high.find(byte, index + 1)
    return False
