"""What enlarging and checking a picture will take, and what it took.

peak = what stays in the process + the largest moment of finishing one picture + that picture. The
moment is `overhead + ratio · live`, learned for each network and choice of checks; `live` is what
comes out of a network at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from sidecar.engine.contract import Afterwards, CheckSpec, RenderSpec, UpscalerSpec
from sidecar.engine.known_networks import KnownNetworks, NetworkFacts
from sidecar.engine.memory.beside import Beside
from sidecar.engine.memory.calibration import Guess
from sidecar.paths import check_model, upscaler_folder

UPSCALER, CHECKS = "upscaler", "checks"
"""Places of what stays in the process."""
AND = "+"
CHECK_NETWORKS: dict[str, tuple[str, ...]] = {
    "nsfw": ("open-nsfw",),
    "text": ("text-finder", "text-reader"),
}
"""The networks of each check that has any; to look for codes takes next to nothing."""
OFFERED = "realesr-animevideov3"
"""The network that enlarges where nobody named one."""
TIMES = (2, 4)
PIXEL = 3 * 4
"""Bytes of one as a network has it."""
FINISHED = 2 * 3
"""Bytes of a finished one: in strips and as a whole."""
LOOKING = Guess(ratio=4.0, overhead=16.0, overhead_spread=16.0, ratio_spread=4.0)
COMPACT = Guess(ratio=5.2, overhead=0.0, overhead_spread=16.0, ratio_spread=4.0)
DEEP = Guess(ratio=21.0, overhead=45.0, overhead_spread=32.0, ratio_spread=8.0)
"""As measured with the bundled networks: of checks alone, of a network of a few layers, and of one
of RRDB's kind, which begins at so many bytes in its file."""
DEEP_BYTES = 4 * 1024 * 1024

Measure = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class _Moment:
    """A kind of work, how much of it, and the bytes that there are besides."""

    work: str
    live: int
    picture: int
    guess: Guess


class Finishing:
    """Of pictures, in main memory."""

    def __init__(self, beside: Beside, networks: KnownNetworks) -> None:
        self._beside = beside
        self._networks = networks

    def told(self, spec: RenderSpec) -> RenderSpec:
        """The spec with what is done afterwards, also were it enlarged more than it is planned."""
        upscaler, times = _offered(), 1
        if spec.enlarging is not None:
            upscaler, times = spec.enlarging.upscaler, spec.enlarging.factor
        network = self._networks.of(upscaler) if spec.enlarging or _is_there(upscaler) else None
        larger = tuple(
            (more, self._of(spec, upscaler, network, times * more))
            for more in TIMES
            if network is not None and times * more <= min(network.scale, TIMES[-1])
        )
        return replace(
            spec, afterwards=replace(self._of(spec, upscaler, network, times), larger=larger)
        )

    def measuring(self, spec: RenderSpec) -> Measure:
        """For each picture that is finished. Of checks alone only what is not known yet: to look at
        memory takes as long as they do."""
        plan = spec.enlarging
        if plan is None and not checks_on(spec.checks):
            return nullcontext
        network = self._networks.of(plan.upscaler) if plan is not None else None
        times = plan.factor if plan is not None else 1
        moment = _moment(spec, plan.upscaler if plan else None, network, times)
        return partial(
            self._beside.taking, moment.work, moment.live, moment.picture, again=plan is not None
        )

    def _of(
        self, spec: RenderSpec, upscaler: UpscalerSpec, network: NetworkFacts | None, times: int
    ) -> Afterwards:
        stays, measured = 0, True
        if times > 1 and network is not None:
            came = self._beside.to_come(UPSCALER, upscaler.name, network.size)
            stays, measured = came.bytes, came.measured
        checks, takes, looked = checks_on(spec.checks), 0, 0
        if checks:
            name = with_those_there(self._beside, checks)
            came = self._beside.to_come(CHECKS, name, check_bytes(name))
            looked, measured = came.bytes, measured and came.measured
        if times > 1 or checks:
            moment = _moment(spec, upscaler if times > 1 else None, network, times)
            taken = self._beside.takes(moment.work, moment.live, moment.guess)
            takes, measured = taken.bytes + moment.picture, measured and taken.measured
        # Checks come in with the first picture, and are there while the next ones are drawn.
        several = spec.count - spec.seed_offset > 1
        return Afterwards(
            stays=stays + (looked if several else 0),
            takes=takes + (0 if several else looked),
            measured=measured,
        )


def checks_on(checks: CheckSpec) -> tuple[str, ...]:
    """Those with networks."""
    return tuple(check for check in CHECK_NETWORKS if getattr(checks, check) != "off")


def with_those_there(beside: Beside, checks: Iterable[str]) -> str:
    """Those checks and what came in for earlier ones, as one name."""
    there = {*beside.name_in(CHECKS).split(AND), *checks}
    return AND.join(check for check in CHECK_NETWORKS if check in there)


def check_bytes(name: str) -> int:
    """Of the networks' files of checks; a missing one is told where it is needed."""
    paths = (check_model(one) for check in name.split(AND) for one in CHECK_NETWORKS[check])
    return sum(path.stat().st_size for path in paths if path.is_file())


def _moment(
    spec: RenderSpec, upscaler: UpscalerSpec | None, network: NetworkFacts | None, times: int
) -> _Moment:
    drawn = spec.width * spec.height // times**2
    live, guess, named = PIXEL * drawn, LOOKING, "as it is"
    if upscaler is not None and network is not None:
        live, named = PIXEL * min(drawn, network.tile**2) * network.scale**2, upscaler.name
        guess = DEEP if network.size >= DEEP_BYTES else COMPACT
    work = " ".join(["finishing", named, *checks_on(spec.checks)])
    return _Moment(work, live, FINISHED * spec.width * spec.height, guess)


def lighter_network(upscaler: UpscalerSpec) -> list[dict[str, object]]:
    """The way out where one takes too much, if there is a lighter one."""
    if upscaler.name == OFFERED or not _is_there(_offered()):
        return []
    return [{"way": "lighter_network", "network": OFFERED}]


def _offered() -> UpscalerSpec:
    return UpscalerSpec(OFFERED, str(upscaler_folder() / f"{OFFERED}.onnx"))


def _is_there(upscaler: UpscalerSpec) -> bool:
    return (upscaler_folder() / f"{upscaler.name}.onnx").is_file()
