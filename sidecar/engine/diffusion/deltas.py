"""What a LoRA file adds to one weight, by the method it was trained with.

- `LowRank`: scale · up · down. LoRA (Hu et al. 2021), and LoCon also in its Tucker form, whose
  middle factor is multiplied into `down` when the file is read.
- `Hadamard`: scale · (up₁ · down₁) ∘ (up₂ · down₂). LoHa (Hyeon-Woo et al. 2022; LyCORIS).
- `Kronecker`: scale · left ⊗ right. LoKr (LyCORIS, Yeh et al. 2024).
- `Full`: the difference itself (`diff`, `diff_b`; `w_norm`, `b_norm` of LyCORIS).
- `Decomposed`: DoRA (Liu et al. 2024) around any of the others. It depends on the weight it
  changes, and on its strength in another way than by a factor.

Weights are seen as matrices (outputs, everything else), in float32. Factors of `LowRank` and `Full`
rest in the type of their file, often half the memory, and are widened when they are used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

TINY = torch.finfo(torch.float32).tiny
LINALG: Any = torch.linalg  # its functions come without types
vector_norm: Callable[..., Tensor] = LINALG.vector_norm

# What rounding to half precision alone changes, of a number.
HALF_ROUNDING = 2.0**-11

# A LoHa whose equivalent low-rank form is no wider than this is merged in that form.
WIDEST_UNFOLDED = 64


class Delta(ABC):
    """One change of one weight.

    `keys`: how many keys of the file it was read from. `linear`: whether twice the strength is
    twice the change, whatever the weight.
    """

    keys: int
    rank: int | None
    linear: ClassVar[bool] = True

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Of the matrix it changes."""

    @property
    @abstractmethod
    def bytes(self) -> int:
        """What it takes in memory."""

    @abstractmethod
    def add_to(self, out: Tensor, pristine: Tensor, strength: float) -> None:
        """out += the change of `pristine` at that strength. Both (rows, columns), float32."""

    @abstractmethod
    def measure(self) -> float:
        """See `square`."""

    @cached_property
    def square(self) -> float:
        """‖Δ‖² (Frobenius) at strength 1; of `Decomposed`, that of what is inside."""
        return self.measure()

    def moves(self, pristine: Callable[[], Tensor]) -> bool:
        """Whether it changes a weight at all; asks for `pristine`, a matrix, where that matters."""
        return self.square > 0


@dataclass(frozen=True)
class LowRank(Delta):
    """`down`: (rank, inputs); `up`: (outputs, rank)."""

    up: Tensor
    down: Tensor
    scale: float
    keys: int
    rank: int | None

    @property
    def shape(self) -> tuple[int, int]:
        return self.up.shape[0], self.down.shape[1]

    @property
    def bytes(self) -> int:
        return self.up.nbytes + self.down.nbytes

    def add_to(self, out: Tensor, pristine: Tensor, strength: float) -> None:
        out.addmm_(on(self.up, out), on(self.down, out), alpha=self.scale * strength)

    def measure(self) -> float:
        return product_square(self.up, self.down) * self.scale**2


@dataclass(frozen=True)
class Hadamard(Delta):
    """Two low-rank products, multiplied number by number."""

    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]
    scale: float
    keys: int
    rank: int | None

    @property
    def shape(self) -> tuple[int, int]:
        return self.first[0].shape[0], self.first[1].shape[1]

    @property
    def bytes(self) -> int:
        return sum(factor.nbytes for factor in (*self.first, *self.second))

    def formed(self, like: Tensor | None = None) -> Tensor:
        """The product, without `scale`."""
        (a, b), (c, d) = self.first, self.second
        if like is not None:
            a, b, c, d = (on(factor, like) for factor in (a, b, c, d))
        return (a @ b).mul_(c @ d)

    def add_to(self, out: Tensor, pristine: Tensor, strength: float) -> None:
        out.add_(self.formed(out), alpha=self.scale * strength)

    def measure(self) -> float:
        return sum_of_squares(self.formed()) * self.scale**2


def hadamard(
    first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor], scale: float, keys: int
) -> Delta:
    """LoHa in the form that is merged fastest.

    (A₁B₁) ∘ (A₂B₂) is itself a product of rank r₁r₂: rows of A are multiplied with each other, and
    columns of B (Khatri and Rao 1968). At small ranks that product is one addmm.
    """
    (a, b), (c, d) = first, second
    rank, wide = b.shape[0], b.shape[0] * d.shape[0]
    if wide > WIDEST_UNFOLDED:
        return Hadamard(first, second, scale, keys, rank)
    up = (a[:, :, None] * c[:, None, :]).flatten(1)
    down = (b[:, None, :] * d[None, :, :]).flatten(0, 1)
    return LowRank(up, down, scale, keys, rank)


@dataclass(frozen=True)
class Kronecker(Delta):
    """`left`: (a, c); `right`: (b, d), where d counts the kernel; the change is (a·b, c·d)."""

    left: Tensor
    right: Tensor
    scale: float
    keys: int
    rank: int | None

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.left.shape
        return rows * self.right.shape[0], columns * self.right.shape[1]

    @property
    def bytes(self) -> int:
        return self.left.nbytes + self.right.nbytes

    def add_to(self, out: Tensor, pristine: Tensor, strength: float) -> None:
        (a, c), (b, d) = self.left.shape, self.right.shape
        out.view(a, b, c, d).addcmul_(
            on(self.left, out).view(a, 1, c, 1),
            on(self.right, out).view(1, b, 1, d),
            value=self.scale * strength,
        )

    def measure(self) -> float:
        return sum_of_squares(self.left) * sum_of_squares(self.right) * self.scale**2


@dataclass(frozen=True)
class Full(Delta):
    """`difference`: (rows, columns); of a vector (rows, 1)."""

    difference: Tensor
    scale: float
    keys: int
    rank: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.difference.shape[0], self.difference.shape[1]

    @property
    def bytes(self) -> int:
        return self.difference.nbytes

    def add_to(self, out: Tensor, pristine: Tensor, strength: float) -> None:
        out.add_(on(self.difference, out), alpha=self.scale * strength)

    def measure(self) -> float:
        return sum_of_squares(self.difference) * self.scale**2


@dataclass(frozen=True)
class Decomposed(Delta):
    """DoRA: W′ = m · (W + Δ) / ‖W + Δ‖, the norms of rows (outputs) or columns (inputs).

    What strength s means differs between programs; a file is taken as the ones that write it do:
    `inside` (peft's `lora_magnitude_vector`): Δ becomes sΔ, also within the norm.
    Otherwise (`dora_scale` of LyCORIS and OneTrainer): W + s(W′ − W), as A1111 and ComfyUI have it.
    At s = 1 they are the same. `magnitude`: (rows, 1), or (1, columns of a linear layer), or
    (1, inputs, 1) for convolutions, whose kernel belongs to its input.
    """

    inner: Delta
    magnitude: Tensor
    inside: bool
    keys: int
    rank: int | None
    linear: ClassVar[bool] = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.inner.shape

    @property
    def bytes(self) -> int:
        return self.inner.bytes + self.magnitude.nbytes

    def add_to(self, out: Tensor, pristine: Tensor, strength: float) -> None:
        changed = pristine.clone()
        self.inner.add_to(changed, pristine, strength if self.inside else 1.0)
        magnitude = on(self.magnitude, out)
        if magnitude.shape[0] == 1:
            by_input = changed.view(changed.shape[0], magnitude.shape[1], -1)
            norm = vector_norm(by_input, dim=(0, 2), keepdim=True)
            by_input.mul_(magnitude.view(1, -1, 1) / norm.clamp_min(TINY))
        else:
            norm = vector_norm(changed, dim=1, keepdim=True)
            changed.mul_(magnitude / norm.clamp_min(TINY))
        out.add_(changed.sub_(pristine), alpha=1.0 if self.inside else strength)

    def measure(self) -> float:
        return self.inner.square

    def moves(self, pristine: Callable[[], Tensor]) -> bool:
        """Magnitudes that are the weight's own norms, as they are before training, are nothing."""
        if self.inner.moves(pristine):
            return True
        weight = pristine().float()
        change = torch.zeros_like(weight)
        self.add_to(change, weight, 1.0)
        return sum_of_squares(change) > HALF_ROUNDING**2 * sum_of_squares(weight)


def on(factor: Tensor, out: Tensor) -> Tensor:
    """`factor` where the weight is, and in its type. Factors rest in main memory."""
    return factor.to(out)


def sum_of_squares(x: Tensor) -> float:
    """Summed in double precision."""
    return float(vector_norm(x, dtype=torch.float64)) ** 2


def product_square(up: Tensor, down: Tensor) -> float:
    """‖up · down‖² (Frobenius) without forming the product: tr(upᵀup · down downᵀ)."""
    up, down = up.float(), down.float()
    if min(up.shape[0], down.shape[1]) < up.shape[1]:
        return sum_of_squares(up @ down)
    inner = (up.T @ up).double().mul_(down @ down.T)
    return max(float(inner.sum()), 0.0)
