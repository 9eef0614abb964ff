"""Point 5: malformed input by the million, by a grammar and guided by coverage.

Whatever comes in: no exception escapes or turns up as an internal error, everything that goes out
is JSON, the parser's memory is bounded, and a ping after it is answered.
"""

from __future__ import annotations

import importlib.util
import random
import subprocess
import sys
from collections.abc import Iterator
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

pytestmark = pytest.mark.timeout(3000 if LONG else 180)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    victim = Victim(tmp_path_factory.mktemp("malformed"))
    yield victim
    print(f"{victim.sent} messages sent, {victim.messages} made out")


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(
    framing=st.sampled_from((Framing.LINES, Framing.HEADERS)),
    templates=st.lists(bodies, min_size=1, max_size=8),
    seed=st.integers(0, 2**32),
    chunk=st.sampled_from((1 << 16, 1000, 37)),
)
def test_no_malformed_message_does_any_harm(
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


def test_as_many_were_sent_as_are_claimed(victim: Victim) -> None:
    assert victim.sent >= EXAMPLES * MESSAGES_EACH


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Met:
    return Met(tmp_path_factory.mktemp("met"))


@settings(
    max_examples=GREETINGS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(body=greetings, seed=st.integers(0, 99))
def test_a_first_message_is_answered_as_any_other(met: Met, body: bytes, seed: int) -> None:
    rng = random.Random(seed)
    met.compare((damaged(body, rng) if seed % 3 == 0 else body) + b"\n")


def test_some_first_messages_were_answered_by_the_greeting(met: Met) -> None:
    assert met.greeted >= GREETINGS / 100


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed: pip install 'lora-sidecar[torture]'",
)
def test_a_search_guided_by_coverage_finds_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZER), str(tmp_path), f"-runs={FUZZ_RUNS}", "-max_len=2048"],
        capture_output=True,
        text=True,
        timeout=2900 if LONG else 170,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {FUZZ_RUNS} runs" in done.stderr
