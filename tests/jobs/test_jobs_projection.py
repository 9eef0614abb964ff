"""The state as it will be: what failed falls back, what is newer stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sidecar.engine.contract import LoraSpec
from sidecar.jobs.projection import Projected, Projection


def stack(*names: str, alpha: float = 0.7) -> Callable[[Projected], Projected]:
    loras = tuple(LoraSpec(name, f"/{name}", alpha) for name in names)
    return lambda state: replace(state, loras=loras)


def names(projection: Projection) -> list[str]:
    return [lora.name for lora in projection.current.loras]


def test_a_trial_is_in_force_at_once() -> None:
    projection = Projection()
    projection.attempt(stack("a"))
    assert names(projection) == ["a"]


def test_a_failed_trial_falls_back() -> None:
    projection = Projection()
    projection.settle(projection.attempt(stack("a")).trial, failed=False)
    projection.settle(projection.attempt(stack("b")).trial, failed=True)
    assert names(projection) == ["a"]


def test_something_newer_stays_when_the_older_fails() -> None:
    projection = Projection()
    older = projection.attempt(stack("a"))
    newer = projection.attempt(stack("b"))
    projection.settle(older.trial, failed=True)
    assert names(projection) == ["b"]
    projection.settle(newer.trial, failed=True)
    assert names(projection) == []


def test_a_change_of_alpha_stands_and_falls_with_the_switch_below_it() -> None:
    projection = Projection()
    projection.settle(projection.attempt(stack("a")).trial, failed=False)
    trial = projection.attempt(stack("b")).trial
    projection.adjust(stack("b", alpha=0.1))
    assert projection.current.loras[0].alpha == 0.1
    projection.settle(trial, failed=True)
    assert names(projection) == ["a"]
    assert projection.current.loras[0].alpha == 0.7


def test_a_change_of_alpha_survives_the_success_of_its_switch() -> None:
    projection = Projection()
    trial = projection.attempt(stack("b")).trial
    projection.adjust(stack("b", alpha=0.1))
    projection.settle(trial, failed=False)
    assert projection.current.loras[0].alpha == 0.1


def test_a_replaced_state_does_not_fall_back() -> None:
    projection = Projection()
    trial = projection.attempt(stack("a")).trial
    projection.replace(stack("z")(Projected()))
    projection.settle(trial, failed=True)
    assert names(projection) == ["z"]
