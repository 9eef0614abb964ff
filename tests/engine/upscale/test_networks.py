"""Any super-resolution network in a file: its layout is found out, and so is what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sidecar.engine.upscale import providers
from sidecar.engine.upscale.network import Network, open_network
from sidecar.errors import AssetMissing, ModelCorrupt, ModelUnsupported, NumericalFault
from tests.engine.upscale.networks import (
    blurring,
    bordered,
    classifier,
    nearest,
    seeing,
    unshuffling,
)

PICTURE = np.random.default_rng(2).random((20, 28, 3), np.float32)
ONE_LEVEL = 1.01 / 255.0


def opened(path: Path) -> Network:
    return open_network(path, path.stem, 1, _no_fallback)


def _no_fallback(provider: str, instead: str, for_good: bool) -> None:
    raise AssertionError((provider, instead))


def repeated(picture: np.ndarray, scale: int) -> np.ndarray:
    return np.repeat(np.repeat(picture, scale, 0), scale, 1)


@pytest.mark.parametrize(
    ("scale", "layout"),
    [
        (2, {}),
        (4, {}),
        (3, {"channels_last": True}),
        (2, {"kind": "half"}),
        (4, {"kind": "byte"}),
        (2, {"kind": "byte", "channels_last": True}),
        (2, {"size": (32, 40)}),
        (2, {"channels": "colours"}),
        (1, {}),
    ],
)
def test_every_layout_is_found_out_and_gives_the_same_picture(
    tmp_path: Path, scale: int, layout: dict[str, Any]
) -> None:
    network = opened(nearest(tmp_path / "net.onnx", scale, **layout))
    assert network.scale == scale
    assert np.abs(network(PICTURE) - repeated(PICTURE, scale)).max() < ONE_LEVEL


def test_a_network_that_reads_0_to_255_is_told_from_one_that_reads_0_to_1(tmp_path: Path) -> None:
    rounding = opened(nearest(tmp_path / "net.onnx", steps=[("Round", {})]))
    assert np.abs(rounding(PICTURE) - repeated(PICTURE, 2)).max() < ONE_LEVEL


def test_a_network_of_brightness_alone_keeps_the_colours(tmp_path: Path) -> None:
    network = opened(nearest(tmp_path / "net.onnx", channels=1))
    plain = np.full((16, 16, 3), (0.8, 0.2, 0.4), np.float32)
    assert np.abs(network(plain) - repeated(plain, 2)).max() < ONE_LEVEL


@pytest.mark.parametrize("reach", [5, 9])
def test_how_far_a_pixel_reaches_is_measured(tmp_path: Path, reach: int) -> None:
    assert reach <= opened(blurring(tmp_path / "net.onnx", reach)).margin <= reach + 4


@pytest.mark.parametrize(("kernel", "margin"), [("right30", 32), ("below30", 32), ("right60", 64)])
def test_it_is_measured_from_every_edge_as_far_as_large_networks_see(
    tmp_path: Path, kernel: str, margin: int
) -> None:
    assert opened(seeing(tmp_path / "net.onnx", kernel)).margin == margin


@pytest.mark.parametrize("multiple", [2, 4, 8, 32, 64])
@pytest.mark.parametrize("size", [(20, 28), (37, 65), (64, 1)])
def test_networks_that_take_multiples_only_are_given_them(
    tmp_path: Path, multiple: int, size: tuple[int, int]
) -> None:
    network = opened(unshuffling(tmp_path / "net.onnx", multiple))
    picture = np.random.default_rng(2).random((*size, 3), np.float32)
    assert np.abs(network(picture) - repeated(picture, 2)).max() < ONE_LEVEL


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (40, 9), (20, 28)])
def test_a_picture_smaller_than_what_a_network_was_tried_on_is_filled_up(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    network = opened(bordered(tmp_path / "net.onnx"))
    picture = np.random.default_rng(2).random((*size, 3), np.float32)
    assert np.abs(network(picture) - repeated(picture, 2)).max() < ONE_LEVEL


def test_facts_in_the_file_spare_the_measuring(tmp_path: Path) -> None:
    facts = {"scale": "2", "top": "1", "margin": "17", "tile": "333"}
    network = opened(nearest(tmp_path / "net.onnx", facts=facts))
    assert (network.scale, network.margin, network.tile) == (2, 17, 333)


@pytest.mark.parametrize(
    ("height", "width", "sides"),
    [(1000, 1000, (40, 40)), (20, 1000, (40, 80)), (1000, 16, (100, 40)), (39, 39, (41, 41))],
)
def test_where_a_picture_is_narrow_pieces_may_be_long(
    tmp_path: Path, height: int, width: int, sides: tuple[int, int]
) -> None:
    facts = {"scale": "2", "top": "1", "margin": "4", "tile": "40"}
    network = opened(nearest(tmp_path / "net.onnx", facts=facts))
    assert network.piece_sides(height, width) == sides
    fixed = opened(nearest(tmp_path / "fixed.onnx", size=(32, 48)))
    assert fixed.piece_sides(height, width) == (32, 32)


def test_another_kind_of_network_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelUnsupported, match="enlarged by a whole number"):
        opened(classifier(tmp_path / "net.onnx"))
    with pytest.raises(ModelUnsupported, match="4 channels"):
        opened(nearest(tmp_path / "four.onnx", channels=4))


def test_a_broken_file_and_a_missing_one_are_told_apart(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"this is no network")
    with pytest.raises(ModelCorrupt, match="broken"):
        opened(broken)
    with pytest.raises(AssetMissing):
        opened(tmp_path / "nowhere.onnx")


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    facts = {"scale": "2", "top": "1", "margin": "8"}
    network = opened(nearest(tmp_path / "net.onnx", steps=[("Log", {})], facts=facts))
    with pytest.raises(NumericalFault):
        network(np.zeros((8, 8, 3), np.float32))


def test_a_provider_that_fails_is_told_of_and_the_next_one_is_used(tmp_path: Path) -> None:
    told: list[tuple[str, str, bool]] = []
    usable = ["CUDAExecutionProvider", providers.CPU]
    network = open_network(
        nearest(tmp_path / "net.onnx"), "net", 1, lambda *names: told.append(names), usable
    )
    assert told == [("CUDAExecutionProvider", providers.CPU, True)]
    assert network.provider == providers.CPU


def test_the_cpu_is_always_among_the_providers_and_the_last_choice() -> None:
    assert providers.available()[-1] == providers.CPU
    assert providers.PREFERENCE[-1] == providers.CPU
