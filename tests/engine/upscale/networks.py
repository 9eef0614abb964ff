"""Tiny ONNX networks of every layout, made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {"float": TensorProto.FLOAT, "half": TensorProto.FLOAT16, "byte": TensorProto.UINT8}


def nearest(
    path: Path,
    scale: int = 2,
    *,
    channels: int | str = 3,
    channels_last: bool = False,
    kind: str = "float",
    size: tuple[int, int] | None = None,
    steps: list[tuple[str, dict[str, object]]] | None = None,
    facts: dict[str, str] | None = None,
) -> Path:
    """Repeats pixels; before that, on floats, `steps` of one input each."""
    sides: list[int | str] = list(size) if size else ["height", "width"]
    out_sides = [side * scale if isinstance(side, int) else f"out_{side}" for side in sides]

    def shape(of: list[int | str]) -> list[int | str]:
        return [1, *of, channels] if channels_last else [1, channels, *of]

    factors = [1, scale, scale, 1] if channels_last else [1, 1, scale, scale]
    nodes, last = [], "picture"
    if kind != "float":
        nodes.append(helper.make_node("Cast", [last], ["floats"], to=TensorProto.FLOAT))
        last = "floats"
    for number, (op, attributes) in enumerate(steps or []):
        extra = [str(name) for name in attributes.get("inputs", [])]  # type: ignore[union-attr]
        rest = {key: value for key, value in attributes.items() if key != "inputs"}
        nodes.append(helper.make_node(op, [last, *extra], [f"step{number}"], **rest))
        last = f"step{number}"
    nodes.append(
        helper.make_node(
            "Resize",
            [last, "", "factors"],
            ["large"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
    )
    nodes.append(helper.make_node("Cast", ["large"], ["out"], to=TYPES[kind]))
    numbers = [numpy_helper.from_array(np.array(factors, np.float32), "factors")]
    numbers += [numpy_helper.from_array(value, name) for name, value in NUMBERS.items()]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("picture", TYPES[kind], shape(sides))],
        [helper.make_tensor_value_info("out", TYPES[kind], shape(out_sides))],
        numbers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, facts or {})
    path.write_bytes(model.SerializeToString())
    return path


def _box(reach: int) -> np.ndarray:
    """Each channel's mean over the pixels within `reach`."""
    side = 2 * reach + 1
    return np.full((3, 1, side, side), 1.0 / side**2, np.float32)


def _from_afar(steps: int) -> np.ndarray:
    """Half of each pixel comes from so many pixels further on."""
    kernel = np.zeros((3, 1, 1, 2 * steps + 1), np.float32)
    kernel[:, :, 0, [steps, -1]] = 0.5
    return kernel


NUMBERS = {
    "pattern": np.linspace(0.8, 1.0, 48, dtype=np.float32).reshape(1, 48, 1, 1),
    "box5": _box(5),
    "box9": _box(9),
    "around10": np.array([0, 0, 10, 10, 0, 0, 10, 10]),
    "ten": np.array([10, 10]),
    "minus_ten": np.array([-10, -10]),
    "sides": np.array([2, 3]),
    "dark": np.array(0.01, np.float32),
    "right30": _from_afar(30),
    "right60": _from_afar(60),
    "below30": _from_afar(30).transpose(0, 1, 3, 2).copy(),
}


def blurring(path: Path, reach: int, **options: object) -> Path:
    """A mean over `reach` pixels, and then nearest."""
    conv = {"inputs": [f"box{reach}"], "group": 3, "pads": [reach] * 4}
    return nearest(path, steps=[("Conv", conv)], **options)  # type: ignore[arg-type]


def seeing(path: Path, kernel: str) -> Path:
    """To the right or downwards only, as the kernel's name says, and then nearest."""
    far = int(kernel[-2:])
    pads = [0, far, 0, far] if kernel.startswith("right") else [far, 0, far, 0]
    return nearest(path, steps=[("Conv", {"inputs": [kernel], "group": 3, "pads": pads})])


def unshuffling(path: Path, by: int) -> Path:
    """Begins with pixel-unshuffle, so that it takes multiples only, and ends as nearest does."""
    there = ("SpaceToDepth", {"blocksize": by})
    back = ("DepthToSpace", {"blocksize": by, "mode": "DCR"})
    return nearest(path, steps=[there, back])


def patterned(path: Path) -> Path:
    """Makes each pixel darker by where it lies within 4 × 4, as seen from the picture's corner."""
    there = ("SpaceToDepth", {"blocksize": 4})
    darker = ("Mul", {"inputs": ["pattern"]})
    back = ("DepthToSpace", {"blocksize": 4, "mode": "DCR"})
    return nearest(path, steps=[there, darker, back])


def bordered(path: Path) -> Path:
    """Goes on beyond the border by ten pixels of reflection, which takes more than ten pixels."""
    around = ("Pad", {"inputs": ["around10"], "mode": "reflect"})
    back = ("Slice", {"inputs": ["ten", "minus_ten", "sides"]})
    return nearest(path, steps=[around, back])


def classifier(path: Path) -> Path:
    """Takes pictures and gives one number: no super-resolution."""
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["picture"], ["out"])],
        "net",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, 1, 1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path
