"""Before anything is loaded or drawn: whether it will fit, on which rung, and what would instead.

Fewer pictures at once is no alternative that anybody has to choose: it changes nothing in them, so
it is simply done. "auto" goes down the ladder as far as needed, and up again only with another
model or when it is asked for anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

from sidecar.engine.contract import Alternative, Forecast, ModelSpec, RenderSpec
from sidecar.engine.diffusion.batches import most_at_once
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.devices import Device
from sidecar.engine.diffusion.forecast import Forecaster, Need
from sidecar.engine.memory.rungs import AUTO, OFF, from_rung_down
from sidecar.errors import OutOfMemory

MEGABYTE = 1024 * 1024
NATIVE_LATENTS = 64
SMALLEST = 64
UPSCALES = (2, 4)
SHRINK = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)

LoraBytes = Callable[[str], int]
"""What a stack takes beside the weights, on a rung."""


@dataclass(frozen=True)
class Admitted:
    """How a picture is drawn. `need`: None where nothing was foretold."""

    rung: str
    at_once: int
    need: Need | None = None


class Preflight:
    """Asks the forecaster, and the device for what is left."""

    def __init__(self, device: Device, forecaster: Forecaster) -> None:
        self._device = device
        self._forecaster = forecaster

    def model(self, networks: Components, spec: ModelSpec) -> str:
        """The rung to load it on: with "auto", the first on which a picture of its own size fits.

        Raises OutOfMemory when not even its weights fit.
        """
        *higher, last = allowed(spec.low_vram, None)
        usual = _usual_picture(networks, spec)
        for rung in higher:
            need = self._forecaster.drawing(networks, usual, rung, 1, 0)
            if self._fits(need) and self._fits(self._forecaster.loading(networks, rung)):
                return rung
        need = self._forecaster.loading(networks, last)
        if not self._fits(need):
            raise self._refusal(need, list(self._other_rungs(networks, spec)))
        return last

    def picture(
        self, networks: Components, spec: RenderSpec, loras: LoraBytes, rungs: tuple[str, ...]
    ) -> Admitted:
        """Raises OutOfMemory, with alternatives, where it fits on none of the rungs."""
        admitted = self._first_that_fits(networks, spec, loras, rungs)
        if admitted is not None:
            return admitted
        need = self._forecaster.drawing(networks, spec, rungs[-1], 1, loras(rungs[-1]))
        raise self._refusal(need, self.alternatives(networks, spec, loras, rungs))

    def forecast(
        self, networks: Components, spec: RenderSpec, loras: LoraBytes, rungs: tuple[str, ...]
    ) -> Forecast:
        """The same as an answer, without refusing anything."""
        admitted = self._first_that_fits(networks, spec, loras, rungs)
        fits, rung = admitted is not None, admitted.rung if admitted else rungs[-1]
        at_once = admitted.at_once if admitted else 1
        need = self._forecaster.drawing(networks, spec, rung, at_once, loras(rung))
        ways = () if fits else tuple(self.alternatives(networks, spec, loras, rungs))
        used = self._device.used()
        return Forecast(
            device=self._device.kind,
            peak=max(need.device, used),
            used=used,
            free=self._device.free(),
            fits=fits,
            low_vram=rung,
            at_once=at_once,
            measured=need.measured,
            alternatives=ways,
        )

    def alternatives(
        self, networks: Components, spec: RenderSpec, loras: LoraBytes, rungs: tuple[str, ...]
    ) -> list[Alternative]:
        """What would fit, the nearest to what was asked for first: the same picture more slowly,
        then as large but enlarged, then smaller."""
        lower = tuple(rung for rung in from_rung_down(rungs[-1]) if rung not in rungs)
        ways = [(way, one, rungs) for way, one in _smaller(spec)]
        if lower:
            ways.insert(0, ("low_vram", spec, lower))
        found: dict[tuple[str, int], Alternative] = {}
        for way, one, on in ways:
            upscale = spec.width // one.width if way == "smaller_upscaled" else 1
            if (way, upscale) in found:
                continue
            admitted = self._first_that_fits(networks, one, loras, on)
            if admitted is not None and admitted.need is not None:
                found[way, upscale] = Alternative(
                    way=way,
                    width=one.width,
                    height=one.height,
                    count=one.count,
                    low_vram=admitted.rung,
                    upscale=upscale,
                    peak=admitted.need.device,
                )
        return list(found.values())

    def fits_beside(self, networks: Components, rung: str, present: int) -> bool:
        """Whether a model can be loaded while another one of `present` bytes is still there."""
        need = self._forecaster.loading(networks, rung)
        both = replace(need, device=need.device + present)
        if need.main:
            both = replace(need, main=need.main + present)
        return self._fits(both)

    def _first_that_fits(
        self, networks: Components, spec: RenderSpec, loras: LoraBytes, rungs: tuple[str, ...]
    ) -> Admitted | None:
        """Rungs in their order, and on each as many at once as possible."""
        for rung in rungs:
            at_once = most_at_once(networks, spec, rung)
            while at_once:
                need = self._forecaster.drawing(networks, spec, rung, at_once, loras(rung))
                if self._fits(need):
                    return Admitted(rung, at_once, need)
                at_once //= 2
        return None

    def _fits(self, need: Need) -> bool:
        device, main = self._device, self._device.main
        if need.device > device.used() + device.free():
            return False
        return need.main == 0 or need.main <= main.resident() + main.free()

    def _other_rungs(self, networks: Components, spec: ModelSpec) -> Iterator[Alternative]:
        """For a model that does not fit as it was asked for."""
        usual = _usual_picture(networks, spec)
        for rung in from_rung_down(OFF):
            need = self._forecaster.loading(networks, rung)
            if spec.low_vram != rung and self._fits(need):
                size = {"width": usual.width, "height": usual.height, "count": 1}
                yield Alternative("low_vram", **size, low_vram=rung, upscale=1, peak=need.device)

    def _refusal(self, need: Need, ways: list[Alternative]) -> OutOfMemory:
        free = self._device.used() + self._device.free()
        return OutOfMemory(
            needed_mb=need.device // MEGABYTE,
            free_mb=free // MEGABYTE,
            alternatives=[asdict(way) for way in ways],
        )


def allowed(asked: str, in_force: str | None) -> tuple[str, ...]:
    """The rungs a request may be drawn on. `in_force`: the one that "auto" has come to so far."""
    return from_rung_down(in_force or OFF) if asked == AUTO else (asked,)


def _usual_picture(networks: Components, spec: ModelSpec) -> RenderSpec:
    """One of the size that the model was trained at."""
    side = networks.source.unet.config.get("sample_size") or NATIVE_LATENTS
    side = side * networks.vae.downscale if isinstance(side, int) else 512
    return RenderSpec(spec, (), "", "", side, side, 20, 7.0, "dpmpp_2m", 0)


def _smaller(spec: RenderSpec) -> Iterator[tuple[str, RenderSpec]]:
    for scale in UPSCALES:
        width, height = spec.width // scale, spec.height // scale
        if min(width, height) < SMALLEST or width % 8 or height % 8:
            continue
        smaller = replace(spec, width=width, height=height)
        if spec.afterwards is None:
            yield "smaller_upscaled", smaller
            continue
        for times, after in spec.afterwards.larger:
            if times == scale:
                yield "smaller_upscaled", replace(smaller, afterwards=after)
    for factor in SHRINK:
        width, height = (int(side * factor) // 8 * 8 for side in (spec.width, spec.height))
        if min(width, height) >= SMALLEST:
            yield "smaller", replace(spec, width=width, height=height)
