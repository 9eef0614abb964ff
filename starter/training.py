"""What the three training stages share: processes, averaged gradients, EMA, checkpoints, run log.

Every random draw of a step comes from a generator seeded with (seed, process, step), so that a run
that was cut off goes on from its last checkpoint exactly as if it had never stopped.
"""

from __future__ import annotations

import json
import math
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

CHECKPOINT_SECONDS = 150
REPORT_STEPS = 100


@dataclass(frozen=True)
class Stage:
    """Name and settings of one training stage."""

    name: str
    total: int
    """Length of the learning-rate schedule, in steps (UNet: in samples)."""
    batch: int
    seed: int
    work: Path
    processes: int = 1

    @property
    def folder(self) -> Path:
        return self.work / self.name

    @property
    def finished(self) -> bool:
        """Whether a run reached the end of the schedule."""
        return (self.folder / "finished").exists()


@dataclass
class Position:
    """Where in its schedule a run stands."""

    step: int = 0
    done: int = 0
    """Steps (UNet: samples) of the schedule that are behind."""


@dataclass
class Draws:
    """The random sources of one step."""

    numpy: np.random.Generator
    seed: int

    @classmethod
    def of(cls, stage: Stage, rank: int, step: int) -> Draws:
        key = (stage.seed, sum(map(ord, stage.name)), rank, step)
        numpy = np.random.default_rng(key)
        seed = int(numpy.integers(2**31))
        torch.manual_seed(seed)
        return cls(numpy, seed)


def cosine(fraction: float, hold: float = 0.0, end: float = 0.0) -> float:
    """1 up to `hold`, then half a cosine down to `end` at 1."""
    if fraction < hold:
        return 1.0
    part = min((fraction - hold) / (1 - hold), 1.0)
    return end + (1 - end) * (0.5 + 0.5 * math.cos(math.pi * part))


class Average:
    """Exponential moving average of parameters, with a short memory at the start."""

    def __init__(self, parameters: list[torch.nn.Parameter], decay: float) -> None:
        self.parameters, self.decay = parameters, decay
        self.values = [p.detach().clone() for p in parameters]

    def update(self, step: int) -> None:
        decay = min(self.decay, (step + 1) / (step + 15))
        torch._foreach_lerp_(self.values, [p.detach() for p in self.parameters], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The modules hold the averaged weights inside this block."""
        raw = [p.detach().clone() for p in self.parameters]
        self._put(self.values)
        try:
            yield
        finally:
            self._put(raw)

    @torch.no_grad()
    def _put(self, values: list[torch.Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)


class RunLog:
    """`run.json`: what was really run, stage by stage."""

    def __init__(self, work: Path) -> None:
        self.path = work / "run.json"

    def write(self, name: str, entry: dict[str, Any]) -> None:
        """Add an entry to the list under a stage's name."""
        log = json.loads(self.path.read_text()) if self.path.exists() else {}
        log.setdefault(name, []).append(entry)
        self.path.write_text(json.dumps(log, indent=1) + "\n")


def planned(stage: Stage) -> int:
    """Schedule length, with the wall-clock guard of `plan.json` on top.

    A line such as {"unet": {"total": 90000}} written while a stage runs re-plans it.
    """
    path = stage.work / "plan.json"
    changes = json.loads(path.read_text()).get(stage.name, {}) if path.exists() else {}
    return changes.get("total", stage.total)


@dataclass
class Trainer:
    """Runs one stage in one process; gradients are averaged over the stage's processes."""

    stage: Stage
    rank: int
    modules: dict[str, torch.nn.Module]
    optimizer: torch.optim.Optimizer
    loss: Callable[[Draws, float], tuple[torch.Tensor, dict[str, float]]]
    """(random sources, fraction of the schedule) -> loss and figures to report."""
    rate: Callable[[float], float]
    """Fraction of the schedule -> share of the peak learning rate."""
    export: Callable[[], None]
    """Called in the first process at the end, with the averaged weights in place."""
    samples_per_step: int = 1
    ema_decay: float = 0.995
    warmup: int = 60
    clip: float = 1.0
    after_step: Callable[[Draws, float], dict[str, float]] | None = None
    also_saved: dict[str, Any] = field(default_factory=dict)
    """Further objects with state_dict(), such as a discriminator and its optimizer."""

    def __post_init__(self) -> None:
        self.parameters = [p for m in self.modules.values() for p in m.parameters()]
        self.parameters = [p for p in self.parameters if p.requires_grad]
        self.average = Average(self.parameters, self.ema_decay)
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.position = Position()
        self.log = RunLog(self.stage.work)

    @property
    def checkpoint(self) -> Path:
        return self.stage.folder / "checkpoint.pt"

    def save(self) -> None:
        """Write a checkpoint that a later run continues exactly."""
        state = {
            "modules": {name: m.state_dict() for name, m in self.modules.items()},
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.values,
            "position": vars(self.position),
            "also": {name: o.state_dict() for name, o in self.also_saved.items()},
        }
        self.stage.folder.mkdir(parents=True, exist_ok=True)
        torch.save(state, self.checkpoint.with_suffix(".tmp"))
        os.replace(self.checkpoint.with_suffix(".tmp"), self.checkpoint)

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, weights_only=True)
        for name, module in self.modules.items():
            module.load_state_dict(state["modules"][name])
        self.optimizer.load_state_dict(state["optimizer"])
        for value, saved in zip(self.average.values, state["average"], strict=True):
            value.copy_(saved)
        self.position = Position(**state["position"])
        for name, thing in self.also_saved.items():
            thing.load_state_dict(state["also"][name])

    def average_gradients(self) -> None:
        """Replace each gradient by its mean over all processes."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(flat)
        flat /= self.stage.processes
        for gradient, part in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(part.view(gradient.shape))

    def step(self, fraction: float) -> dict[str, float]:
        """One optimizer step at a point of the schedule."""
        share = self.rate(fraction) * min(1.0, (self.position.step + 1) / self.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * share
        draws = Draws.of(self.stage, self.rank, self.position.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss, figures = self.loss(draws, fraction)
        loss.backward()
        if self.stage.processes > 1:
            self.average_gradients()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.optimizer.step()
        self.average.update(self.position.step)
        if self.after_step:
            figures |= self.after_step(draws, fraction)
        self.position.step += 1
        self.position.done += self.samples_per_step
        return figures

    def run(self) -> None:
        """Train to the end of the schedule and export."""
        self.resume()
        start = saved = time.time()
        first = self.position.step
        done_before = self.position.done
        recent: deque[dict[str, float]] = deque(maxlen=REPORT_STEPS)
        total = planned(self.stage)
        while self.position.done < total:
            recent.append(self.step(self.position.done / total))
            if self.position.step % REPORT_STEPS == 0:
                total = self.agree(planned(self.stage))
                self.report(recent, total, (time.time() - start) / (self.position.step - first))
            if self.rank == 0 and time.time() - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = time.time()
        if self.rank == 0:
            self.save()
            self.finish(start, first, done_before, total, recent)
        if self.stage.processes > 1:
            dist.barrier()

    def agree(self, total: int) -> int:
        """All processes follow the first one's reading of the plan."""
        if self.stage.processes == 1:
            return total
        number = torch.tensor([total])
        dist.broadcast(number, 0)
        return int(number)

    def report(self, recent: deque[dict[str, float]], total: int, seconds: float) -> None:
        if self.rank or not recent:
            return
        means = {key: np.mean([r[key] for r in recent if key in r]) for key in recent[-1]}
        text = " ".join(f"{key} {value:.4f}" for key, value in means.items())
        rate = self.optimizer.param_groups[0]["lr"]
        print(
            f"{time.strftime('%H:%M:%S', time.gmtime())} {self.stage.name} {self.position.step} "
            f"({self.position.done}/{total}) {text} lr {rate:.1e} {1 / seconds:.2f} it/s",
            flush=True,
        )

    def finish(
        self, start: float, first: int, before: int, total: int, recent: deque[dict[str, float]]
    ) -> None:
        with self.average.applied():
            self.export()
        if self.position.done >= total:
            (self.stage.folder / "finished").touch()
        figures = {k: round(float(np.mean([r[k] for r in recent if k in r])), 5)
                   for k in (recent[-1] if recent else {})}  # fmt: skip
        self.log.write(
            self.stage.name,
            {
                "steps": [first, self.position.step],
                "schedule": [before, self.position.done, total],
                "seconds": round(time.time() - start),
                "processes": self.stage.processes,
                "batch": self.stage.batch,
                "seed": self.stage.seed,
                "last": figures,
            },
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _process(rank: int, main: Callable[[Stage, int], None], stage: Stage, port: int) -> None:
    torch.set_num_threads(1)
    if stage.processes > 1:
        address = f"tcp://127.0.0.1:{port}"
        dist.init_process_group("gloo", init_method=address, rank=rank, world_size=stage.processes)
    main(stage, rank)
    if stage.processes > 1:
        dist.destroy_process_group()


def launch(main: Callable[[Stage, int], None], stage: Stage) -> None:
    """Run `main(stage, rank)` in the stage's number of one-thread processes."""
    if stage.processes == 1:
        _process(0, main, stage, 0)
    else:
        torch.multiprocessing.spawn(
            _process, args=(main, stage, free_port()), nprocs=stage.processes
        )
