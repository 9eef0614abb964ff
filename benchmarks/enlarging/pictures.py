"""Pictures that a package ships: scikit-image's, taken from its wheel by hash, not installed."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image

from sidecar.paths import bundled_lora_folder
from tools.assets.wheels import Wheel, fetched

FOLDER = "skimage/data"
WHEEL = Wheel(
    "scikit-image==0.26.0",
    {
        f"{FOLDER}/astronaut.png": (
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5"
        ),
        f"{FOLDER}/chelsea.png": (
            "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb"
        ),
        f"{FOLDER}/coffee.png": (
            "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"
        ),
        f"{FOLDER}/motorcycle_left.png": (
            "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179"
        ),
        f"{FOLDER}/page.png": ("341a6f0a61557662b02734a9b6e56ec33a915b2c41886b97509dedf2a43b47a3"),
    },
    ("cp311", "manylinux_2_28_x86_64"),
)


@cache
def _all() -> dict[str, bytes]:
    return fetched(WHEEL)


def picture(name: str) -> Image.Image:
    """As RGB; `name`: without folder and suffix. Pictures beside the bundled styles come first."""
    bundled = bundled_lora_folder() / f"{name}.png"
    if bundled.is_file():
        return Image.open(bundled).convert("RGB")
    data = next(data for path, data in _all().items() if path.split("/")[-1].startswith(name))
    return Image.open(BytesIO(data)).convert("RGB")
