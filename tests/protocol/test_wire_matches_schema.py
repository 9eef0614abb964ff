"""What really goes over the wire is what schema/protocol.schema.json says."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sidecar.client import Sidecar
from sidecar.errors import SidecarError
from sidecar.protocol.events import NOTIFICATIONS
from sidecar.protocol.methods import METHODS
from tools.generate import protocol_schema

SECONDS = 60.0
SCHEMA = protocol_schema()
ENDING = {"shutdown", "exit", "$/cancelRequest"}


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    data = tmp_path_factory.mktemp("data")
    with Sidecar.spawn(data, arguments=("--engine", "fake"), timeout=SECONDS) as running:
        yield running


@pytest.fixture(scope="module")
def answers(sidecar: Sidecar) -> dict[str, Any]:
    """One answer of every method, and each notification that came meanwhile, by name."""
    events: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for name in NOTIFICATIONS:
        sidecar.on(name, lambda params, name=name: events.put((name, params)))
    found: dict[str, Any] = {}

    def call(method: str, **params: Any) -> Any:
        found[method] = sidecar.call(method, params, SECONDS)
        return found[method]

    call("initialize", locale="en")
    for method in ("ping", "rpc.discover", "list_models", "status"):
        call(method)
    call("load_model", model="starter")
    lora = call("list_loras")["loras"][0]["name"]
    call("inspect_lora", name=lora)
    call("scan_lora", path=lora)
    call("check_conflicts", loras=[{"name": lora}])
    call("merge_prompt", prompt="red apple", style=lora)
    call("switch_lora", name=lora, alpha=0.7)
    call("set_alpha", alpha=0.5)
    call("preview", prompt="red apple", seed=1)
    image = call("generate", prompt="red apple", seed=1, delivery="both")["images"][0]
    call("upscale", image={"path": image["path"]}, scale=2)
    call("enhance", image={"path": image["path"]})
    entry = {"id": image["history_id"]}
    for method in ("history_get", "history_pin", "history_rollback", "repeat"):
        call(method, **entry)
    call("history_list")
    call("set_low_vram", mode="auto")
    call("vram_report", **{"for": {"prompt": "red apple"}})
    call("cancel", job_id="none")
    call("history_delete", **entry)
    call("history_clear")
    call("unload_model")
    sidecar.ping()
    found["events"] = []
    while not events.empty():
        found["events"].append(events.get())
    return found


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ENDING])
def test_the_answer_has_the_form_that_the_schema_gives_it(
    method: str, answers: dict[str, Any]
) -> None:
    described = SCHEMA["properties"]["methods"]["properties"][method]
    assert problems(described["properties"]["result"], answers[method]) == []


def test_notifications_have_the_form_that_the_schema_gives_them(answers: dict[str, Any]) -> None:
    described = SCHEMA["properties"]["notifications"]["properties"]
    assert {name for name, _ in answers["events"]} >= {"progress", "history_changed"}
    found = [
        f"{name}: {problem}"
        for name, params in answers["events"]
        for problem in problems(described[name], params)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("switch_lora", {"name": "nonesuch"}),
        ("inspect_lora", {"name": "nonesuch"}),
        ("scan_lora", {"path": "/nonesuch"}),
        ("check_conflicts", {"loras": [{"name": "nonesuch"}]}),
        ("merge_prompt", {"prompt": "red apple", "style": "nonesuch"}),
        ("load_model", {"model": "nonesuch"}),
        ("generate", {"prompt": "red apple", "width": 100}),
        ("history_get", {"id": "nonesuch"}),
        ("no_such_method", {}),
    ],
)
def test_errors_have_the_form_that_the_schema_gives_them(
    sidecar: Sidecar, method: str, params: dict[str, Any]
) -> None:
    with pytest.raises(SidecarError) as refused:
        sidecar.call(method, params, SECONDS)
    wire = refused.value.to_wire()
    described = SCHEMA["properties"]["errors"]["properties"][refused.value.kind]
    assert problems(described, wire) == []
    if method in METHODS:
        listed = SCHEMA["properties"]["methods"]["properties"][method]
        assert refused.value.kind in listed["properties"]["errors"]["enum"]
