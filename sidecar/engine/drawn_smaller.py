"""Pictures that are drawn smaller and then enlarged, as the memory they take is told.

Who draws them knows nothing of the enlarging; what would fit instead is put in terms of the whole.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace

from sidecar.engine.contract import Alternative, Enlarging, MemoryReport, RenderSpec
from sidecar.errors import ModelUnsupported, OutOfMemory

FACTORS = (4, 2)
"""Times that a picture can be asked to be enlarged."""


def drawn_smaller(spec: RenderSpec, device: str) -> Enlarging | None:
    """The plan to draw smaller, where it holds on this device."""
    plan = spec.enlarging
    return None if plan is None or (plan.without_gpu_only and device != "cpu") else plan


def within(spec: RenderSpec, plan: Enlarging, most: int) -> Enlarging | None:
    """The plan with a network that enlarges `most` times. One that was not asked for yields; it is
    None where nothing is left of it. Raises ModelUnsupported where it was asked for."""
    if plan.factor <= most:
        return plan
    if not plan.without_gpu_only:
        reason = f"it enlarges {most} times, not {plan.factor}"
        raise ModelUnsupported(model=plan.upscaler.name, reason=reason)
    factor = next((factor for factor in FACTORS if factor <= most), 1)
    return plan.lowered(factor, spec.width, spec.height) if factor > 1 else None


def as_drawn(spec: RenderSpec, plan: Enlarging | None) -> RenderSpec:
    """What is drawn of it, before anything is enlarged."""
    if plan is None:
        return replace(spec, enlarging=None)
    return replace(spec, width=plan.width, height=plan.height, enlarging=None)


def reported_whole(report: MemoryReport, spec: RenderSpec) -> MemoryReport:
    """A report on what is drawn, as one on `spec`."""
    plan = spec.enlarging
    if plan is None or report.forecast is None:
        return report
    ways = tuple(_ways_to(spec, plan, FACTORS[0], report.forecast.alternatives))
    return replace(report, forecast=replace(report.forecast, alternatives=ways))


@contextmanager
def refused_whole(spec: RenderSpec, plan: Enlarging | None, most: int) -> Generator[None]:
    """The same for a refusal to draw it. `most`: times that the network enlarges."""
    try:
        yield
    except OutOfMemory as refusal:
        if plan is not None:
            ways = [Alternative(**way) for way in refusal.fields["alternatives"]]
            told = _ways_to(spec, plan, min(most, FACTORS[0]), ways)
            refusal.fields["alternatives"] = [asdict(way) for way in told]
        raise


def _ways_to(
    spec: RenderSpec, plan: Enlarging, most: int, ways: Iterable[Alternative]
) -> Iterator[Alternative]:
    """They are enlarged as planned on top; where that would be too much, they are none."""
    for way in ways:
        upscale = way.upscale * plan.factor
        whole = (way.width * upscale, way.height * upscale)
        if way.way == "smaller_upscaled" and whole != (spec.width, spec.height):
            continue
        if upscale <= most:
            yield replace(way, upscale=upscale)
