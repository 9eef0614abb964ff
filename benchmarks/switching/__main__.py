"""`python -m benchmarks.switching`: one table, written to results/."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.children import DiffusersWorker, running
from benchmarks.measuring import Figure, Peer, Row, Timed, in_turns, machine
from benchmarks.report import tell
from benchmarks.switching.geometry import SCOPES, write_lora

RANKS = (16, 128)
SECONDS = 3600.0
ALPHAS = (0.7, 0.4)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.switching", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of each switch; steps: half of it")
    parser.add_argument("--side", type=int, default=32, help="of the latents in a denoising step")
    parser.add_argument("--ranks", type=int, nargs="+", default=RANKS)
    parser.add_argument("--name", help="of the files in results/; without it nothing is written")
    options = parser.parse_args()
    described = {"date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), **machine()}
    rows = list(measured(options.rounds, options.side, options.ranks))
    tell(described, rows, options.name)
    return 0


def measured(rounds: int, side: int, ranks: list[int]) -> Iterator[Row]:
    with ExitStack() as open_now:
        folder = Path(open_now.enter_context(tempfile.TemporaryDirectory()))
        ours, peer = (
            DiffusersWorker(
                open_now.enter_context(
                    running((sys.executable, "-m", "benchmarks.switching.worker", which), SECONDS)
                )
            )
            for which in ("ours", "peer")
        )
        for scope in SCOPES:
            for rank in ranks:
                print(f"{scope}, rank {rank} …", file=sys.stderr, flush=True)
                files = [
                    str(write_lora(folder / f"{seed}.safetensors", scope, rank, seed))
                    for seed in (1, 2)
                ]
                yield from switches(f"{scope}, rank {rank}", files, ours, peer, rounds)
                yield step(f"{scope}, rank {rank}", files, ours, peer, side, max(rounds // 2, 1))
        yield Row(
            "peak memory",
            Figure((ours.ask("copy")["peak_mb"],), "MB", "max"),
            [Peer("diffusers", Figure((peer.ask("switch", lora=None, alpha=0)["peak_mb"],), "MB"))],
            note="RSS of each worker; ours holds the touched weights twice while a stack is on",
        )


def switches(
    what: str, files: list[str], ours: DiffusersWorker, peer: DiffusersWorker, rounds: int
) -> Iterator[Row]:
    """Back and forth between two files; then alpha alone."""
    megabytes = Path(files[0]).stat().st_size / 1e6

    def switch(number: int, cold: bool) -> float:
        return ours("switch", lora=files[number % 2], alpha=0.7, cold=cold)

    def usual(number: int) -> float:
        return peer("switch", lora=files[number % 2], alpha=0.7)

    cold = in_turns({"ours": lambda n: switch(n, True), "usual": usual}, rounds)
    yield Row(
        f"cold switch: {what}",
        cold.figure("ours"),
        [Peer("unload + load", cold.figure("usual"), 0.25)],
        note=f"files of {megabytes:.0f} MB in the page cache, parsed anew; receipt included",
    )
    for file in files:
        ours("read", lora=file)
    warm = in_turns(
        {
            "ours": lambda n: switch(n, False),
            "copy": lambda _: ours("copy"),
            "alpha": lambda n: ours("alpha", lora=files[0], alpha=ALPHAS[n % 2]),
        },
        2 * rounds,
    )
    yield Row(f"warm switch: {what}", warm.figure("ours"), floor(warm, cold))
    yield Row(f"alpha change: {what}", warm.figure("alpha"), floor(warm, cold))


def floor(warm: Timed, cold: Timed) -> list[Peer]:
    return [
        Peer("copying the touched bytes", warm.figure("copy"), 4),
        Peer("unload + load", cold.figure("usual")),
    ]


def step(
    what: str,
    files: list[str],
    ours: DiffusersWorker,
    peer: DiffusersWorker,
    side: int,
    rounds: int,
) -> Row:
    def with_lora(lora: str | None) -> float:
        ours("switch", lora=lora, alpha=0.7, cold=False)
        return ours("step", side=side)

    ours("switch", lora=files[0], alpha=0.7, cold=True)
    peer("switch", lora=files[0], alpha=0.7)
    timed = in_turns(
        {
            "with": lambda _: with_lora(files[0]),
            "without": lambda _: with_lora(None),
            "unmerged": lambda _: peer("step", side=side),
        },
        rounds,
    )
    return Row(
        f"one step with the LoRA: {what}",
        timed.figure("with"),
        [
            Peer("without the LoRA", timed.figure("without"), 1.03),
            Peer("diffusers, unmerged", timed.figure("unmerged"), 1),
        ],
        note=f"UNet at batch 2, latents of {side}×{side}",
    )


if __name__ == "__main__":
    raise SystemExit(main())
