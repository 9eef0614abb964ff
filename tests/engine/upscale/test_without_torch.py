"""Enlarging, enhancing and checking work where torch cannot be imported, and stay within memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SECONDS = 300

WITHOUT_TORCH = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "diffusers", "transformers"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Refuse())
"""

EVERYTHING = """
from sidecar.cli.engine import make_engine
from sidecar.engine.contract import CancelToken, ImageReady
from sidecar.engine.contract import CheckSpec, EnhanceSpec, UpscalerSpec, UpscaleSpec
from sidecar.paths import upscaler_folder

source, folder = sys.argv[1:]
engine = make_engine("lite", 1)
engine.warm_up()
found = []
net = UpscalerSpec("net", str(upscaler_folder() / "realesr-animevideov3.onnx"))
checks = CheckSpec(nsfw="warn", codes="warn", text="warn")
spec = UpscaleSpec(open(source, "rb").read(), 2, net, folder, checks)
engine.upscale("a", spec, found.append, CancelToken())
engine.enhance("b", EnhanceSpec(spec, "auto", None, 0), found.append, CancelToken())
pictures = [event for event in found if isinstance(event, ImageReady)]
assert [event.checked.checks for event in pictures] == [("nsfw", "codes", "text")] * 2
assert not {"torch", "diffusers"} & set(sys.modules)
print(*(event.width for event in pictures))
"""

LARGE = """
import resource
import sys

from sidecar.cli.engine import make_engine
from sidecar.engine.allocator import keep_freed_blocks
from sidecar.engine.contract import CancelToken, ImageReady, UpscalerSpec, UpscaleSpec

source, folder, net = sys.argv[1:]
keep_freed_blocks()  # as the engine's process does
engine = make_engine("lite", 1)
engine.warm_up()
spec = UpscaleSpec(open(source, "rb").read(), 4, UpscalerSpec("net", net), folder)
engine.upscale("a", spec, lambda event: None, CancelToken())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def run(program: str, *arguments: Path) -> str:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_of_it_imports_torch_and_nothing_else_is_printed(tmp_path: Path) -> None:
    source = tmp_path / "picture.png"
    Image.effect_noise((96, 64), 40).convert("RGB").save(source)
    assert run(WITHOUT_TORCH + EVERYTHING, source, tmp_path) == "192 192"


@pytest.mark.skipif(sys.platform == "win32", reason="resource is not there")
def test_memory_does_not_grow_with_the_picture(tmp_path: Path) -> None:
    """A network that repeats pixels: what is measured is all that a tall picture takes beside the
    network itself, and it is little more than its own pixels."""
    from tests.engine.upscale.networks import nearest

    facts = {"scale": "4", "top": "1", "margin": "12", "tile": "128"}
    net = nearest(tmp_path / "net.onnx", 4, facts=facts)
    peaks: list[int] = []
    for height in (600, 2400):
        source = tmp_path / "photo.png"
        Image.linear_gradient("L").resize((400, height)).convert("RGB").save(source)
        peaks.append(int(run(LARGE, source, tmp_path, net)))
    enlarged_mb = 400 * (2400 - 600) * 3 * 4**2 / 2**20
    assert peaks[1] - peaks[0] < enlarged_mb / 3
