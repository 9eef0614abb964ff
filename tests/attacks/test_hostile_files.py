"""Every hostile file is told for what it is, and gets no further than it may."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.scan import scan_file
from sidecar.scan.findings import SEVERITY
from tests.attacks.hostile_files import FILES, file, honest
from tests.rpc.in_memory import InMemory

NUMBERED = list(enumerate(FILES))
ANSWERS = {"unsafe": "lora_unsafe", "corrupt": "lora_corrupt", "suspicious": "lora_suspicious"}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> InMemory:
    """A session with an honest style on, and every hostile file in its folder."""
    folder = tmp_path_factory.mktemp("loras")
    (folder / "honest.safetensors").write_bytes(file(honest()))
    for number, hostile in enumerate(FILES.values()):
        (folder / f"hostile-{number}.safetensors").write_bytes(hostile.content())
    wire = InMemory(tmp_path_factory.mktemp("data") / "data", folder)
    wire.call("load_model", model="starter")
    wire.call("switch_lora", name="honest")
    return wire


def test_there_are_fifty_and_more() -> None:
    assert len(FILES) >= 50


def test_every_kind_of_finding_has_a_hostile_file_or_is_a_notice() -> None:
    known = {hostile.kind for hostile in FILES.values()}
    assert {kind for kind, severity in SEVERITY.items() if severity != "notice"} <= known


@pytest.mark.parametrize("name", FILES)
def test_the_scan_tells_what_it_is(name: str, tmp_path: Path) -> None:
    hostile = FILES[name]
    path = tmp_path / "file.safetensors"
    path.write_bytes(hostile.content())
    scan = scan_file(path)
    assert hostile.kind in {finding.kind for finding in scan.findings}, scan.findings
    assert scan.verdict == hostile.verdict
    assert scan.bytes == path.stat().st_size


@pytest.mark.parametrize(("number", "name"), NUMBERED)
def test_it_is_refused_the_former_style_stays_and_only_the_suspicious_goes_on_when_allowed(
    wire: InMemory, number: int, name: str
) -> None:
    """In this order: what was allowed once is allowed until the session ends."""
    hostile = FILES[name]
    error = wire.error("switch_lora", name=f"hostile-{number}")
    assert error["data"]["kind"] == ANSWERS[hostile.verdict]
    assert hostile.kind in {finding["kind"] for finding in error["data"]["findings"]}
    assert [lora["name"] for lora in wire.call("status")["stack"]] == ["honest"]
    request = wire.request(
        "preview", prompt="x", allow_suspicious=True, loras=[{"name": f"hostile-{number}"}]
    )
    answer = wire.answer(request)
    assert ("result" in answer) == (hostile.verdict == "suspicious")


@pytest.mark.parametrize(("number", "name"), NUMBERED)
def test_the_list_and_its_card_survive_it(wire: InMemory, number: int, name: str) -> None:
    cards = {card["name"]: card for card in wire.call("list_loras")["loras"]}
    assert f"hostile-{number}" in cards
