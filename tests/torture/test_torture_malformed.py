"""Point 5: malformed input by the million, by a grammar and guided by coverage.

Whatever comes in: no exception escapes or turns up as an internal error, everything that goes out
is JSON, the parser's memory is bounded, and a ping after it is answered.
"""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.rpc.framing import Framing
from tests.torture.counts import LONG, count
from tests.torture.grammar import bodies, damaged, greetings, stream
from tests.torture.in_process import Met, Victim

EXAMPLES = count(60, 5000)
GREETINGS = count(300, 20_000)
MESSAGES_EACH = count(50, 200)
FUZZ_RUNS = count(3000, 400_000)
FUZZER = Path(__file__).parent / "programs" / "fuzz_wire.py"

pytestmark = pytest.mark.timeout(3000 if LONG else 600)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), print_blob=True)
@given(
    framing=st.sampled_from((Framing.LINES, Framing.HEADERS)),
    templates=st.lists(bodies, min_size=1, max_size=8),
    seed=st.integers(0, 2**32),
    chunk=st.sampled_from((1 << 16, 1000, 37)),
)
def send_malformed(
    victim: Victim, framing: Framing, templates: list[bytes], seed: int, chunk: int
) -> None:
    one = stream(framing, templates, MESSAGES_EACH, seed)
    data = b"".join(one.pieces)
    victim.begin()
    victim.sent += len(one.pieces)
    for start in range(0, len(data), chunk):
        victim.feed(data[start : start + chunk])
    assert victim.parser.framing is framing
    assert victim.still_hears()
    victim.end()


def test_no_malformed_message_does_any_harm(tmp_path: Path) -> None:
    victim = Victim(tmp_path)
    send_malformed(victim)
    print(f"{victim.sent} messages sent, {victim.messages} made out")
    assert victim.sent >= EXAMPLES * MESSAGES_EACH


@settings(max_examples=GREETINGS, suppress_health_check=list(HealthCheck), print_blob=True)
@given(body=greetings, seed=st.integers(0, 99))
def greet(met: Met, body: bytes, seed: int) -> None:
    rng = random.Random(seed)
    met.compare((damaged(body, rng) if seed % 3 == 0 else body) + b"\n")


def test_a_first_message_is_answered_as_any_other(tmp_path: Path) -> None:
    met = Met(tmp_path)
    greet(met)
    assert met.greeted >= GREETINGS / 100, "hardly any was answered by the greeting"


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: pip install 'lora-sidecar[torture]'",
)
def test_a_search_guided_by_coverage_finds_nothing(tmp_path: Path) -> None:
    options = [f"-runs={FUZZ_RUNS}", "-max_len=2048", *([] if LONG else ["-seed=1"])]
    done = subprocess.run(
        [sys.executable, str(FUZZER), str(tmp_path), *options],
        capture_output=True,
        text=True,
        timeout=2900 if LONG else 500,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {FUZZ_RUNS} runs" in done.stderr
