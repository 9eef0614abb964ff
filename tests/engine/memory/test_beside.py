"""What else is in the engine's process: measured as it comes, by name, and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.engine.memory.beside import LIBRARY, STAYS, Beside, remembering
from sidecar.engine.memory.calibration import Guess

MEGABYTE = 2**20
ROUGH = Guess(ratio=1.0, overhead=0.0)


@pytest.fixture
def beside() -> Beside:
    return Beside()


def filled(megabytes: int) -> bytearray:
    return bytearray(b"1" * (megabytes * MEGABYTE))


def test_what_comes_is_measured_by_name(beside: Beside) -> None:
    with beside.coming(LIBRARY, LIBRARY):
        library = filled(20)
    with beside.coming("upscaler", "net") as comes:
        network = filled(60)
    assert comes
    assert beside.total == pytest.approx(len(library) + len(network), rel=0.2)
    shown = {info.name: info.bytes for info in beside.infos()}
    assert list(shown) == ["onnxruntime", "upscaler: net"]
    assert shown["upscaler: net"] == pytest.approx(len(network), rel=0.2)


def test_what_was_only_taken_meanwhile_is_not_held(beside: Beside) -> None:
    with beside.coming("upscaler", "net"):
        filled(100)
    assert beside.total < 10 * MEGABYTE


def test_what_is_there_already_does_not_come_again(beside: Beside) -> None:
    with beside.coming("upscaler", "net"):
        kept = [filled(30)]
    before, changes = beside.total, beside.changes
    with beside.coming("upscaler", "net") as comes:
        kept.append(filled(30))
    assert not comes
    assert (beside.total, beside.changes) == (before, changes)


def test_one_that_takes_another_s_place_is_counted_instead_of_it(beside: Beside) -> None:
    held = {}
    with beside.coming("upscaler", "large"):
        held["net"] = filled(80)
    with beside.coming("upscaler", "small"):
        held["net"] = filled(1)
        held["net"] = filled(20)
    (info,) = beside.infos()
    assert info.name == "upscaler: small"
    assert info.bytes == pytest.approx(len(held["net"]), abs=8 * MEGABYTE)


def test_what_does_not_come_in_is_not_there(beside: Beside) -> None:
    with pytest.raises(OSError, match="no such file"), beside.coming("upscaler", "net"):
        raise OSError("no such file")
    assert beside.infos() == ()


def test_networks_go_and_the_library_stays(beside: Beside) -> None:
    with beside.coming(LIBRARY, LIBRARY), beside.coming("checks", "nsfw"):
        pass
    changes = beside.changes
    beside.gone()
    assert [info.name for info in beside.infos()] == [LIBRARY]
    assert beside.changes > changes


class TestForetelling:
    SIZE = 10 * MEGABYTE

    def test_a_network_that_was_never_there_is_guessed_from_its_file(self, beside: Beside) -> None:
        came = beside.to_come("upscaler", "net", self.SIZE)
        assert not came.measured
        assert came.bytes > STAYS.ratio * self.SIZE

    def test_one_that_is_there_brings_nothing_more(self, beside: Beside) -> None:
        with beside.coming("upscaler", "net", self.SIZE):
            pass
        assert beside.to_come("upscaler", "net", self.SIZE).bytes == 0

    def test_what_it_held_is_known_to_the_next_engine(self, tmp_path: Path) -> None:
        drawings = tmp_path / "memory.json"
        with remembering(drawings, 1).coming("upscaler", "net", self.SIZE):
            kept = filled(90)
        again = remembering(drawings, 1)
        with again.coming(LIBRARY, LIBRARY):
            pass
        came = again.to_come("upscaler", "net", self.SIZE)
        assert came.measured
        assert came.bytes == pytest.approx(len(kept), rel=0.2)
        assert not drawings.exists(), "what drawings took is another file"


class TestTaking:
    def test_what_work_takes_at_most_is_learned(self, beside: Beside) -> None:
        with beside.taking("finishing", 1000, besides=10 * MEGABYTE):
            filled(90)
        taken = beside.takes("finishing", 1000, ROUGH)
        assert taken.measured
        # A bytes and a bytearray of ninety megabytes, less what is told to be no part of it.
        assert taken.bytes == pytest.approx(170 * MEGABYTE, rel=0.2)

    def test_what_comes_in_meanwhile_is_not_taken_for_it(self, beside: Beside) -> None:
        with beside.taking("finishing", 1000), beside.coming("checks", "nsfw"):
            filled(30)
        assert not beside.takes("finishing", 1000, ROUGH).measured

    def test_what_is_known_is_measured_again_only_where_that_is_wanted(
        self, beside: Beside
    ) -> None:
        for megabytes, again in ((20, False), (60, False), (90, True)):
            before = beside.takes("looking", 1000, ROUGH).bytes
            with beside.taking("looking", 1000, again=again):
                filled(megabytes)
            changed = beside.takes("looking", 1000, ROUGH).bytes != before
            assert changed == (megabytes != 60)

    def test_work_that_fails_teaches_nothing(self, beside: Beside) -> None:
        with pytest.raises(MemoryError), beside.taking("finishing", 1000):
            raise MemoryError
        assert not beside.takes("finishing", 1000, ROUGH).measured
