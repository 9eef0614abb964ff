"""Files that come and go in the LoRA folders."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from sidecar.rpc import watch
from tests.catalog.catalog_samples import lora_shapes, safetensors, write_lora
from tests.rpc.child import Start
from tests.rpc.in_memory import InMemory

Wanted = Callable[[dict[str, Any]], bool]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "given-loras"


def later(path: Path) -> None:
    """Give a file another time, as a write long after the last one would."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns + 1_000_000_000))


class TestLooking:
    """Looks are made by hand: two in a row without a change in between make a file complete."""

    @pytest.fixture
    def look(self, loaded: InMemory) -> Callable[[], list[dict[str, Any]]]:
        watching = watch.LibraryWatch(loaded.front)
        watching._known = watch._seen(loaded.front.loras.stamps())

        def look() -> list[dict[str, Any]]:
            loaded.out.clear()
            watching.look()
            return loaded.told("loras_changed")

        return look

    def test_a_file_is_told_once_it_has_stopped_growing(self, folder: Path, look: Any) -> None:
        content = safetensors(lora_shapes(768, 4))
        path = folder / "new.safetensors"
        path.write_bytes(content[:-100])
        assert look() == []
        assert look() == []
        path.write_bytes(content)
        later(path)
        assert look() == []
        assert look() == [{"added": ["new"], "changed": [], "removed": []}]
        assert look() == []

    def test_a_file_reserved_at_full_size_is_told_when_its_time_stands_still(
        self, folder: Path, look: Any
    ) -> None:
        path = folder / "new.safetensors"
        path.write_bytes(safetensors(lora_shapes(768, 4)))
        for _ in range(3):
            assert look() == []
            later(path)
        assert look() == []
        assert look()[0]["added"] == ["new"]

    def test_what_never_becomes_a_lora_is_told_after_a_while(
        self, folder: Path, look: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "page.safetensors").write_bytes(b"<html>not found</html>")
        assert look() == look() == []
        monkeypatch.setattr(watch, "PATIENCE", 0.0)
        assert look()[0]["added"] == ["page"]

    def test_a_removed_file_and_a_changed_card_are_told_at_once(
        self, folder: Path, look: Any
    ) -> None:
        (folder / "chalk.safetensors").unlink()
        (folder / "neon.json").write_text('{"title": "Neon lights"}', encoding="utf-8")
        assert look() == [{"added": [], "changed": ["neon"], "removed": ["chalk"]}]

    def test_a_file_that_is_on_and_was_replaced_is_told_with_a_warning(
        self, loaded: InMemory, folder: Path, look: Any
    ) -> None:
        loaded.call("switch_lora", name="chalk")
        write_lora(folder, "chalk", rank=16)
        assert look() == []
        assert look()[0]["changed"] == ["chalk"]
        assert [w["kind"] for w in loaded.told("warning")] == ["lora_replaced"]

    def test_a_file_that_is_on_and_was_only_touched_is_not_told(
        self, loaded: InMemory, folder: Path, look: Any
    ) -> None:
        loaded.call("switch_lora", name="chalk")
        later(folder / "chalk.safetensors")
        assert look() == look() == look() == []
        assert loaded.told("warning") == []

    def test_a_replaced_file_is_scanned_again_before_the_next_picture(
        self, loaded: InMemory, folder: Path
    ) -> None:
        loaded.call("switch_lora", name="chalk")
        (folder / "chalk.safetensors").write_bytes(b"PK\x03\x04" + bytes(100))
        error = loaded.error("generate", prompt="x")
        assert error["data"]["kind"] == "lora_unsafe"
        write_lora(folder, "chalk", rank=16)
        assert loaded.call("generate", prompt="x")["images"]


class TestWatching:
    """A real sidecar, whose folders are watched."""

    @staticmethod
    def told(child: Any, wanted: Wanted) -> dict[str, Any]:
        return child.notification("loras_changed", wanted)

    def test_a_dropped_file_appears_and_a_deleted_one_goes(
        self, start: Start, folder: Path
    ) -> None:
        folder.mkdir()
        child = start("--loras", str(folder))
        child.call("list_loras")
        path = write_lora(folder, "dropped")
        assert self.told(child, lambda p: bool(p["added"]))["added"] == ["dropped"]
        names = [card["name"] for card in child.call("list_loras")["loras"]]
        assert "dropped" in names
        path.unlink()
        assert self.told(child, lambda p: bool(p["removed"]))["removed"] == ["dropped"]

    def test_a_folder_that_is_created_later_is_noticed(
        self, start: Start, folder: Path, tmp_path: Path
    ) -> None:
        child = start("--loras", str(folder))
        child.call("list_loras")
        write_lora(tmp_path / "elsewhere", "dropped")
        shutil.copytree(tmp_path / "elsewhere", folder)
        assert self.told(child, lambda p: "dropped" in p["added"])

    def test_watching_delays_no_exit_and_fits_into_the_memory_of_a_front(
        self, start: Start, folder: Path
    ) -> None:
        folder.mkdir()
        child = start("--loras", str(folder))
        child.call("load_model", model="starter")
        child.call("list_loras")
        write_lora(folder, "dropped")
        self.told(child, lambda p: bool(p["added"]))
        child.call("switch_lora", name="dropped")
        assert psutil.Process(child.process.pid).memory_info().rss < 60_000_000
        assert child.stop() == 0
