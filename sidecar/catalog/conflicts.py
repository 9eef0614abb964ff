"""Styles that do not go together, and the fusion-strength curve.

Two palettes at full strength make mud. The styles of one conflict group may stand together as
long as the absolute values of their strengths add up to no more than a limit L; what is more is
scaled down in proportion:

    alpha'_i = alpha_i * min(1, L / S)      with S = sum of |alpha_j| over the group

The curve keeps the proportions, never strengthens, and applied twice does no more than once.
See docs/decisions/0008-fusion-strength.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FUSION_LIMIT = 0.3
_TOLERANCE = 1e-6
_DECIMALS = 6


@dataclass(frozen=True)
class Styled:
    """One LoRA of a stack, with the group its card names."""

    name: str
    alpha: float
    group: str | None


@dataclass(frozen=True)
class Conflict:
    """A group whose strengths add up to more than `limit`."""

    group: str
    names: tuple[str, ...]
    alpha_sum: float
    limit: float


def conflicts(stack: Sequence[Styled], limit: float = FUSION_LIMIT) -> list[Conflict]:
    """Groups with two or more styles that are on and too strong together, in order."""
    groups: dict[str, list[Styled]] = {}
    for styled in stack:
        if styled.group and styled.alpha != 0:
            groups.setdefault(styled.group.casefold(), []).append(styled)
    found: list[Conflict] = []
    for members in groups.values():
        total = sum(abs(styled.alpha) for styled in members)
        if len(members) > 1 and total > limit + _TOLERANCE:
            names = tuple(styled.name for styled in members)
            found.append(Conflict(members[0].group or "", names, round(total, _DECIMALS), limit))
    return found


def fused(stack: Sequence[Styled], limit: float = FUSION_LIMIT) -> list[float]:
    """The alphas of the stack after the curve, in its order."""
    factors = {
        name: conflict.limit / conflict.alpha_sum
        for conflict in conflicts(stack, limit)
        for name in conflict.names
    }
    return [
        round(styled.alpha * factors[styled.name], _DECIMALS)
        if styled.name in factors
        else styled.alpha
        for styled in stack
    ]
