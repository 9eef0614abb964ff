"""Networks of ncnn as ONNX, for the handful of layers that super-resolution is made of.

Input and output are RGB in 0..1, (pictures, 3, height, width), of any size. Half-precision weights
stay so in the file and are widened by a node, which ONNX Runtime does once when it loads.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.assets.ncnn import Array, Layer

OPSET, IR_VERSION = 17, 8
INTERPOLATION = {1: "nearest", 2: "linear", 3: "cubic"}
LEAKY = 2
ADD, SUM = 0, 1


@dataclass(frozen=True)
class End:
    """An input or output: what it is called, how many channels it has, how its sides are called."""

    blob: str
    channels: int = 3
    sides: tuple[str, str] = ("height", "width")


def converted(layers: Sequence[Layer], name: str, facts: Mapping[str, str]) -> bytes:
    """The ONNX file. `facts` go into its metadata. Raises ValueError for other layers."""
    return _model(layers, name, facts, End(layers[0].outputs[0]), _enlarged(layers))


def in_two(layers: Sequence[Layer], name: str, facts: Mapping[str, str]) -> bytes:
    """The same of a network that first looks and then enlarges, as those of RRDB's kind do.

    The file's graph ends before the first enlargement, with the features there; its metadata has
    the rest of the network (`tail`, an ONNX file in base64) that takes them. So the two can be run
    over pieces of different sizes. (ONNX Runtime can run a part of a graph too, but then it frees
    nothing until the end.)
    """
    first = next(i for i, layer in enumerate(layers) if layer.kind == "Interp")
    following = next(layer for layer in layers[first:] if layer.kind == "Convolution")
    channels = following.whole(6) // (following.whole(0) * following.whole(1) ** 2)
    features = End(layers[first].inputs[0], channels)
    tail = _model(layers[first:], f"{name}-tail", {}, features, _enlarged(layers))
    facts = {**facts, "tail": b64encode(tail).decode()}
    return _model(layers[:first], name, facts, End(layers[0].outputs[0]), features)


def _enlarged(layers: Sequence[Layer]) -> End:
    return End(layers[-1].outputs[0], sides=("out_height", "out_width"))


def _model(
    layers: Sequence[Layer], name: str, facts: Mapping[str, str], first: End, last: End
) -> bytes:
    graph = _Graph()
    for layer in layers:
        EMITTERS.get(layer.kind, _unknown)(graph, layer)
    model = helper.make_model(
        graph.finished(name, first, last),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="lora-sidecar",
    )
    helper.set_model_props(model, dict(facts))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


class _Graph:
    """Nodes and numbers so far. Blobs of a split are all the blob that was split."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._numbers: list[onnx.TensorProto] = []
        self._same_as: dict[str, str] = {}

    def alias(self, name: str, source: str) -> None:
        self._same_as[name] = self.source(source)

    def source(self, name: str) -> str:
        return self._same_as.get(name, name)

    def number(self, name: str, value: Array) -> str:
        """A constant, as float32 whatever it is stored as."""
        stored = name if value.dtype == np.float32 else f"{name}.half"
        self._numbers.append(numpy_helper.from_array(np.ascontiguousarray(value), stored))
        if stored != name:
            self._nodes.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        sources = [self.source(name) for name in inputs]
        self._nodes.append(helper.make_node(kind, sources, [output], name=output, **attributes))
        return output

    def finished(self, name: str, first: End, last: End) -> onnx.GraphProto:
        ends = [
            helper.make_tensor_value_info(
                end.blob, TensorProto.FLOAT, [1, end.channels, *end.sides]
            )
            for end in (first, last)
        ]
        return helper.make_graph(self._nodes, name, ends[:1], ends[1:], self._numbers)


def _input(graph: _Graph, layer: Layer) -> None:
    """Nothing: the graph's input bears the blob's name."""


def _split(graph: _Graph, layer: Layer) -> None:
    for output in layer.outputs:
        graph.alias(output, layer.inputs[0])


def _convolution(graph: _Graph, layer: Layer) -> None:
    output, kernel, pad = layer.outputs[0], layer.whole(1), layer.whole(4)
    if layer.whole(2, 1) != 1 or layer.whole(3, 1) != 1 or layer.whole(9) not in (0, LEAKY):
        raise ValueError(f"a convolution of a kind that is not known here ({output})")
    parts = ("weight", "bias")
    numbers = [graph.number(f"{output}.{part}", a) for part, a in zip(parts, layer.arrays)]  # noqa: B905
    leaky = layer.whole(9) == LEAKY
    straight = f"{output}.linear" if leaky else output
    shape = {"kernel_shape": [kernel] * 2, "pads": [pad] * 4}
    graph.node("Conv", [layer.inputs[0], *numbers], straight, **shape)
    if leaky:
        graph.node("LeakyRelu", [straight], output, alpha=layer.lists[10][0])


def _prelu(graph: _Graph, layer: Layer) -> None:
    output = layer.outputs[0]
    slope = graph.number(f"{output}.slope", layer.arrays[0].reshape(-1, 1, 1))
    graph.node("PRelu", [layer.inputs[0], slope], output)


def _pixel_shuffle(graph: _Graph, layer: Layer) -> None:
    how = {"blocksize": layer.whole(0), "mode": "CRD"}
    graph.node("DepthToSpace", layer.inputs, layer.outputs[0], **how)


def _interp(graph: _Graph, layer: Layer) -> None:
    output, mode = layer.outputs[0], INTERPOLATION[layer.whole(0)]
    factors = np.array([1, 1, layer.values[1], layer.values[2]], np.float32)
    how = {"nearest": {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}}
    scales = graph.number(f"{output}.scales", factors)
    graph.node("Resize", [layer.inputs[0], "", scales], output, mode=mode, **how.get(mode, {}))


def _concat(graph: _Graph, layer: Layer) -> None:
    graph.node("Concat", layer.inputs, layer.outputs[0], axis=1)


def _binary(graph: _Graph, layer: Layer) -> None:
    if layer.whole(0) != ADD:
        raise ValueError("an operation other than adding")
    graph.node("Add", layer.inputs, layer.outputs[0])


def _eltwise(graph: _Graph, layer: Layer) -> None:
    """A weighted sum of two."""
    if layer.whole(0) != SUM or len(layer.inputs) != 2:
        raise ValueError("an element-wise operation other than the sum of two")
    output, terms = layer.outputs[0], []
    for i, (blob, factor) in enumerate(zip(layer.inputs, layer.lists[1], strict=True)):
        name = f"{output}.factor{i}"
        if factor != 1.0:
            value = graph.number(name, np.array(factor, np.float32))
            blob = graph.node("Mul", [blob, value], f"{output}.term{i}")
        terms.append(blob)
    graph.node("Add", terms, output)


def _unknown(graph: _Graph, layer: Layer) -> None:
    raise ValueError(f"a layer of a kind that is not known here ({layer.kind})")


EMITTERS: dict[str, Callable[[_Graph, Layer], None]] = {
    "Input": _input,
    "Split": _split,
    "Convolution": _convolution,
    "PReLU": _prelu,
    "PixelShuffle": _pixel_shuffle,
    "Interp": _interp,
    "Concat": _concat,
    "BinaryOp": _binary,
    "Eltwise": _eltwise,
}
