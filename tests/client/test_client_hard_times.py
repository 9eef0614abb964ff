"""Killed engines, killed fronts, shared folders: what a script sees of it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from sidecar.client import Sidecar, SidecarGone, picture_bytes
from sidecar.errors import EngineCrashed, StorageFault
from sidecar.protocol.pictures import GeneratedImage, ProgressEvent
from tests.rpc.child import until

Spawn = Callable[..., Sidecar]
LONG = {"prompt": "pear [delay=50]", "steps": 150, "count": 16}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    started: list[Sidecar] = []

    def spawn(data: Path = tmp_path / "data", *more: str) -> Sidecar:
        sidecar = Sidecar.spawn(data, arguments=["--engine", "fake", *more], timeout=60)
        started.append(sidecar)
        sidecar.load_model("starter")
        return sidecar

    yield spawn
    for sidecar in started:
        sidecar.stop()


def kill_engine(sidecar: Sidecar) -> None:
    os.kill(sidecar.status().pids["engine"], signal.SIGKILL)


def pixels(image: GeneratedImage) -> bytes:
    with Image.open(str(image.path)) as opened:
        return opened.tobytes()


def test_an_engine_killed_in_the_middle_still_gives_the_same_pictures(
    spawn: Spawn, tmp_path: Path
) -> None:
    sidecar = spawn()
    marker = tmp_path / "waits-for-its-death-once"
    prompt = f"red apple [hang@5.6:{marker}]"
    marker.touch()
    expected = sidecar.generate(prompt, seed=5, count=16).images
    marker.unlink()
    kills = iter([kill_engine])

    def kill_once(event: ProgressEvent) -> None:
        if event.phase == "denoise" and event.step >= 4 * event.steps / 16 + 5:
            for kill in kills:
                until(marker.exists)
                kill(sidecar)

    again = sidecar.generate(prompt, seed=5, count=16, on_progress=kill_once).images
    assert [pixels(image) for image in again] == [pixels(image) for image in expected]
    assert sidecar.status().engine_restarts == 1
    assert sidecar.history_list().total == 32


def test_a_job_that_kills_the_engine_twice_is_refused_and_the_next_one_works(
    spawn: Spawn,
) -> None:
    sidecar = spawn()
    killed: set[int] = set()

    def kill_each(event: ProgressEvent) -> None:
        pid = sidecar.status().pids.get("engine")
        if event.phase == "denoise" and pid is not None and pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(EngineCrashed):
        sidecar.generate("pear [delay=50]", on_progress=kill_each, count=16, steps=150)
    assert len(killed) == 2
    assert sidecar.generate("red apple").images


def test_a_killed_front_takes_its_engine_along(spawn: Spawn) -> None:
    sidecar = spawn()
    engine = psutil.Process(sidecar.status().pids["engine"])
    reply = sidecar.submit("generate", LONG)
    os.kill(sidecar.pid, signal.SIGKILL)
    with pytest.raises(SidecarGone) as caught:
        reply.wait(60)
    assert caught.value.exit_code == -signal.SIGKILL
    psutil.wait_procs([engine], timeout=300)
    assert not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE


def test_pictures_reported_before_a_kill_are_there_afterwards(spawn: Spawn) -> None:
    sidecar = spawn()
    made = sidecar.generate("red apple", count=3, delivery="both").images
    sidecar.submit("generate", LONG)
    os.kill(sidecar.pid, signal.SIGKILL)
    entries = {entry.id: entry for entry in spawn().history_list().entries}
    for image in made:
        assert Path(entries[image.history_id].path).read_bytes() == picture_bytes(image)


def test_two_sidecars_share_a_data_folder(spawn: Spawn) -> None:
    both = [spawn(), spawn()]
    replies = [s.submit("generate", {"prompt": "red apple", "count": 10}) for s in both]
    made = {i["history_id"] for reply in replies for i in reply.wait(60)["images"]}
    for sidecar in both:
        assert {entry.id for entry in sidecar.history_list().entries} == made


def test_a_data_folder_that_cannot_be_used_spoils_only_what_needs_it(
    spawn: Spawn, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file in the way")
    sidecar = spawn()
    with pytest.raises(StorageFault, match="in the way"):
        sidecar.generate("red apple")
    assert picture_bytes(sidecar.preview("red apple").image)
