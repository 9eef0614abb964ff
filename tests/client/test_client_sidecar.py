"""Every typed method against the real front, with an engine that only pretends to draw."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.client import Sidecar, SidecarGone, picture_bytes
from sidecar.errors import (
    Cancelled,
    HistoryNotFound,
    InvalidParams,
    LoraConflict,
    LoraNotFound,
    ModelNotFound,
    PictureGone,
)
from sidecar.protocol.pictures import PictureEvent, ProgressEvent

PNG = b"\x89PNG"


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    with Sidecar.spawn(tmp_path, arguments=["--engine", "fake"], timeout=60) as sidecar:
        yield sidecar


def test_the_main_job_in_a_few_lines(sidecar: Sidecar) -> None:
    assert sidecar.load_model("starter").family == "starter"
    style = sidecar.list_loras()[0].name
    receipt = sidecar.switch_lora(style, 0.5)
    assert [(entry.name, entry.alpha) for entry in receipt.stack] == [(style, 0.5)]
    assert sidecar.set_alpha(0.9).stack[0].alpha == 0.9

    heard: list[ProgressEvent] = []
    seen: list[PictureEvent] = []
    result = sidecar.generate(
        "red apple", seed=7, count=2, on_progress=heard.append, on_thumbnail=seen.append
    )
    percents = [event.percent for event in heard]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert seen

    first, second = result.images
    assert (first.seed, second.seed) == (7, 8)
    assert first.path is not None
    assert picture_bytes(first) == Path(first.path).read_bytes()
    assert [(lora.name, lora.alpha) for lora in first.parameters.loras] == [(style, 0.9)]

    sidecar.switch_lora(None)
    assert sidecar.status().stack == []
    restored = sidecar.history_rollback(first.history_id)
    assert picture_bytes(restored.image) == picture_bytes(first)
    assert [(lora.name, lora.alpha) for lora in sidecar.status().stack] == [(style, 0.9)]


def test_pictures_go_in_as_paths_and_as_bytes(sidecar: Sidecar) -> None:
    sidecar.load_model("starter")
    start = sidecar.generate("red apple", delivery="inline").images[0]
    assert start.data_url is not None
    by_bytes = sidecar.generate("pear", init_image=picture_bytes(start), strength=0.5).images[0]
    assert by_bytes.parameters.strength == 0.5
    by_path = sidecar.preview("pear", init_image=str(by_bytes.path), loras={})
    assert picture_bytes(by_path.image)


def test_the_history_is_listed_pinned_repeated_and_deleted(sidecar: Sidecar) -> None:
    sidecar.load_model("starter")
    made = sidecar.generate("red apple", count=3).images
    page = sidecar.history_list(limit=2)
    assert page.total == 3
    assert [entry.id for entry in page.entries] == [made[2].history_id, made[1].history_id]
    kept = made[0].history_id
    assert sidecar.history_pin(kept).pinned
    assert sidecar.history_get(kept).pinned
    again = sidecar.repeat(kept, seed=made[0].seed, steps=3).images[0]
    assert again.parameters == made[0].parameters.model_copy(update={"steps": 3})
    assert sidecar.history_delete(again.history_id) == 1
    assert sidecar.history_clear() == 2
    assert [entry.id for entry in sidecar.history_list().entries] == [kept]
    with pytest.raises(HistoryNotFound):
        sidecar.history_get(again.history_id)


def test_a_picture_deleted_by_hand_is_told_at_rollback(sidecar: Sidecar) -> None:
    sidecar.load_model("starter")
    made = sidecar.generate("red apple").images[0]
    Path(str(made.path)).unlink()
    with pytest.raises(PictureGone, match="repeat"):
        sidecar.history_rollback(made.history_id)


def test_refusals_arrive_as_the_classes_of_the_sidecar(sidecar: Sidecar) -> None:
    with pytest.raises(ModelNotFound):
        sidecar.load_model("nothing of this name")
    with pytest.raises(LoraNotFound) as caught:
        sidecar.switch_lora("../../etc/passwd")
    assert caught.value.fields["available"]
    with pytest.raises(InvalidParams):
        sidecar.generate("red apple", width=13)
    with pytest.raises(InvalidParams):
        sidecar.call("ping", {"unknown": 1})


def test_a_reply_can_be_cancelled(sidecar: Sidecar) -> None:
    sidecar.load_model("starter")
    reply = sidecar.submit("generate", {"prompt": "red apple", "count": 64, "steps": 150})
    sidecar.ping()
    assert reply.cancel()
    with pytest.raises(Cancelled):
        reply.wait(60)


def test_look_ups_and_reports_are_typed(sidecar: Sidecar) -> None:
    sidecar.ping()
    assert sidecar.initialize("zh-CN").protocol_version == 1
    assert sidecar.vram_report().rss_front > 0
    assert [model.name for model in sidecar.list_models()] == ["starter"]
    assert sidecar.discover()["openrpc"]
    assert not sidecar.cancel("no such job")
    sidecar.load_model("starter")
    sidecar.unload_model()
    assert sidecar.status().model is None
    stack = {card.name: 0.4 for card in sidecar.list_loras()[:2]}
    sidecar.load_model("starter")
    assert {e.name: e.alpha for e in sidecar.switch_loras(stack).stack} == stack


def test_words_come_in_the_chosen_language(tmp_path: Path) -> None:
    arguments = ["--engine", "fake"]
    with (
        Sidecar.spawn(tmp_path, arguments=arguments, locale="zh-CN") as sidecar,
        pytest.raises(LoraNotFound, match="没有"),
    ):
        sidecar.switch_lora("nothing")


def test_stopping_is_polite_and_leaves_no_process(tmp_path: Path) -> None:
    sidecar = Sidecar.spawn(tmp_path, arguments=["--engine", "fake"])
    sidecar.shutdown()
    assert sidecar.stop() == 0
    with pytest.raises(SidecarGone):
        sidecar.ping()


def test_the_library_is_looked_through_and_words_are_merged(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    sidecar.load_model("starter")
    name = sidecar.list_loras()[0].name
    told = sidecar.inspect_lora(name)
    assert (told.card.name, told.verdict, told.compatibility.compatible) == (name, "clean", True)
    assert sum(block.tensors for block in told.blocks) == sum(told.dtypes.values())
    assert sidecar.scan_lora(name).sha256 == told.sha256

    download = tmp_path / "download.safetensors"
    download.write_bytes(b"PK\x03\x04" + bytes(60))
    assert sidecar.scan_lora(download).verdict == "unsafe"
    assert sidecar.merge_prompt("red apple", name).prompt == "red apple"


def test_bundled_palettes_conflict_unless_that_is_allowed(sidecar: Sidecar) -> None:
    sidecar.load_model("starter")
    stack = {"night": 0.6, "sunset": 0.6}
    suggested = {entry.name: entry.alpha for entry in sidecar.check_conflicts(stack).suggested}
    assert suggested == {"night": 0.15, "sunset": 0.15}
    with pytest.raises(LoraConflict):
        sidecar.switch_loras(stack)
    receipt = sidecar.switch_loras(stack, allow_conflict=True)
    assert {entry.name: entry.alpha for entry in receipt.stack} == suggested
    assert sidecar.switch_loras({"ink": 0.7, "night": 0.7}).stack[0].alpha == 0.7
    with pytest.raises(LoraConflict):
        sidecar.generate("red apple", loras=stack)
