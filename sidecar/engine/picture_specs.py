"""The part of the contract that is about finished pictures: enlarging, enhancing, checking them.

`sidecar.engine.contract` has the rest and passes these on; import them from there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sidecar.engine.contract import RenderSpec


@dataclass(frozen=True)
class UpscalerSpec:
    """A super-resolution network. `path`: an .onnx file; `name`: for people."""

    name: str
    path: str


@dataclass(frozen=True)
class CheckSpec:
    """What is looked for in finished pictures, and what a finding does: "off", "warn", "block".

    `nsfw_threshold`: 0..1; what scores more is a finding.
    """

    nsfw: str = "off"
    codes: str = "off"
    text: str = "off"
    nsfw_threshold: float = 0.8

    @property
    def any(self) -> bool:
        return {self.nsfw, self.codes, self.text} != {"off"}

    @property
    def may_block(self) -> bool:
        return "block" in (self.nsfw, self.codes, self.text)


NO_CHECKS = CheckSpec()


@dataclass(frozen=True)
class Enlarging:
    """Draw at `width` × `height`, enlarge `factor` times, cut to the size that is asked for.

    `without_gpu_only`: otherwise the picture is drawn at its full size.
    """

    upscaler: UpscalerSpec
    factor: int
    width: int
    height: int
    without_gpu_only: bool

    def lowered(self, factor: int, width: int, height: int) -> Enlarging:
        """A plan for the same picture, `width` × `height`, that draws it larger and enlarges it
        less. Of front and engine alike, so that the factor tells the whole plan."""
        drawn_width, drawn_height = (-(-side // (8 * factor)) * 8 for side in (width, height))
        return replace(
            self,
            factor=factor,
            width=max(drawn_width, self.width),
            height=max(drawn_height, self.height),
        )


@dataclass(frozen=True)
class UpscaleSpec:
    """Enlarge `image` (encoded) `scale` times. The result is written to a file in `folder`."""

    image: bytes
    scale: int
    upscaler: UpscalerSpec
    folder: str
    checks: CheckSpec = NO_CHECKS
    thumbnail_px: int = 96


@dataclass(frozen=True)
class EnhanceSpec:
    """Make `upscale.image` better, at `upscale.scale` times its size.

    `path`: "auto", "diffusion" or "onnx". `render`: how to draw, without picture and size; None
    where no model is loaded. `tile`: pixels a side, above which diffusion goes piece by piece.
    `anyway`: also a picture that promises nothing.
    """

    upscale: UpscaleSpec
    path: str
    render: RenderSpec | None
    tile: int
    anyway: bool = False

    def draws(self, device: str) -> bool:
        """Whether it goes by diffusion on such a device."""
        if self.path != "auto":
            return self.path == "diffusion"
        return self.render is not None and device != "cpu"


@dataclass(frozen=True)
class Found:
    """Something that a check found. `box`: left, top, width, height in pixels; None: all over.

    `kind`: "nsfw", "qr_code", "bar_code", "text", "address". `action`: "warn" or "block".
    """

    check: str
    kind: str
    action: str
    score: float
    text: str = ""
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Checked:
    """`checks`: those that ran. `blocked`: the picture was blurred for what was found."""

    checks: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    blocked: bool = False


UNCHECKED = Checked()


@dataclass(frozen=True)
class Finished:
    """The end of an upscale or enhance job; its picture went out as `ImageReady`. Milliseconds.

    `path`: "diffusion" or "onnx"; `why`: a kind in `sidecar.texts`. `provider`: of ONNX Runtime.
    """

    path: str
    why: str
    provider: str
    load_ms: float = 0.0
    merge_ms: float = 0.0
    encode_ms: float = 0.0
    denoise_ms: float = 0.0
    decode_ms: float = 0.0
    upscale_ms: float = 0.0
    check_ms: float = 0.0
