"""What a network's file says is read without ONNX Runtime; of others it is found out, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.engine import known_networks
from sidecar.engine.contract import UpscalerSpec
from sidecar.engine.known_networks import KnownNetworks, facts_in
from sidecar.errors import AssetMissing, ModelCorrupt
from sidecar.paths import upscaler_folder
from tests.engine.upscale.networks import nearest

BUNDLED = """
import sys
from pathlib import Path
from sidecar.engine.contract import UpscalerSpec
from sidecar.engine.known_networks import KnownNetworks
networks = KnownNetworks()
for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    print(path.stem, networks.of(UpscalerSpec(path.stem, str(path))).scale)
print("onnxruntime" in sys.modules)
"""


def test_the_bundled_ones_tell_their_scale_without_onnx_runtime() -> None:
    command = [sys.executable, "-c", BUNDLED, str(upscaler_folder())]
    out = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    *networks, imported = out.splitlines()
    assert len(networks) == 3
    assert all(line.endswith(" 4") for line in networks)
    assert imported == "False"


def test_one_that_says_nothing_is_opened_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, networks = UpscalerSpec("net", str(nearest(tmp_path / "net.onnx", 3))), KnownNetworks()
    assert not networks.knows(spec)
    assert networks.of(spec).scale == 3
    assert networks.knows(spec)
    monkeypatch.setattr(known_networks, "import_module", None)
    assert networks.of(spec).scale == 3


def test_another_file_of_that_name_is_another_network(tmp_path: Path) -> None:
    path, networks = tmp_path / "net.onnx", KnownNetworks()
    for scale in (2, 4):
        nearest(path, scale, facts={"scale": str(scale), "note": "x" * scale})
        assert networks.of(UpscalerSpec("net", str(path))).scale == scale


def test_what_is_no_network_is_told(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(AssetMissing):
        KnownNetworks().of(UpscalerSpec("net", str(path)))
    path.write_bytes(b"no network at all")
    with pytest.raises(ModelCorrupt):
        KnownNetworks().of(UpscalerSpec("net", str(path)))


@pytest.mark.parametrize("cut", [1, 7, 40, 200])
def test_a_file_that_ends_too_soon_is_no_trouble(tmp_path: Path, cut: int) -> None:
    whole = nearest(tmp_path / "net.onnx", facts={"scale": "2", "license": "MIT" * 30})
    assert facts_in(whole)["scale"] == "2"
    whole.write_bytes(whole.read_bytes()[:-cut])
    assert facts_in(whole).get("scale", "2") == "2"


@pytest.mark.parametrize(
    "data", [b"", b"\x72", b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff" * 99]
)
def test_bytes_of_any_kind_say_nothing(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    assert facts_in(path) == {}
