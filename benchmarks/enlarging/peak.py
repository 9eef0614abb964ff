"""A process that enlarges one picture and says what memory it took at most, in megabytes."""

from __future__ import annotations

import io
import resource
import sys
from tempfile import TemporaryDirectory

from PIL import Image

from sidecar.cli.engine import make_engine
from sidecar.engine.allocator import keep_freed_blocks
from sidecar.engine.contract import CancelToken, UpscalerSpec, UpscaleSpec
from sidecar.paths import upscaler_folder


def main() -> None:
    width, height = int(sys.argv[1]), int(sys.argv[2])
    out = io.BytesIO()
    noise = Image.effect_noise((width // 4, height // 4), 60).convert("RGB")
    noise.resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    del noise
    name = "realesr-animevideov3"
    upscaler = UpscalerSpec(name, str(upscaler_folder() / f"{name}.onnx"))
    keep_freed_blocks()  # as the engine's process does
    engine = make_engine("lite", None)
    engine.warm_up()
    with TemporaryDirectory() as folder:
        spec = UpscaleSpec(out.getvalue(), 4, upscaler, folder)
        engine.upscale("job", spec, lambda event: None, CancelToken())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
