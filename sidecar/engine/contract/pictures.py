"""Finished pictures: what enlarges them, what is looked for in them, what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class UpscalerSpec:
    """A super-resolution network. `path`: an .onnx file; `name`: for people."""

    name: str
    path: str


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
