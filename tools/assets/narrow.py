"""The same ONNX network with its weights stored in half precision: half the file.

Each weight is widened again by a Cast, which ONNX Runtime does once when it opens the network, so
that nothing is computed in another precision than before.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

FEWEST = 1024
"""Numbers; smaller tensors stay as they are."""


def narrowed(data: bytes) -> bytes:
    """`data`, an ONNX file, with its large float32 weights in half precision.

    Weights may be initializers or Constant nodes.
    """
    model = onnx.load_from_string(data)
    graph = model.graph
    nodes = [
        *(cast for weight in graph.initializer for cast in _initializer(weight)),
        *(new for node in graph.node for new in _node(node)),
    ]
    widened = {node.output[0] for node in nodes}
    inputs = [value for value in graph.input if value.name not in widened]
    for field, kept in ((graph.input, inputs), (graph.node, nodes)):
        del field[:]
        field.extend(kept)
    return model.SerializeToString(deterministic=True)


def _initializer(weight: TensorProto) -> Iterator[NodeProto]:
    """The Cast that a weight needs from now on, if it is narrowed."""
    half = _half(weight)
    if half is not None:
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        yield _widened(name)


def _node(node: NodeProto) -> Iterator[NodeProto]:
    value = next(
        (a.t for a in node.attribute if node.op_type == "Constant" and a.name == "value"), None
    )
    half = None if value is None else _half(value)
    if half is None:
        yield node
        return
    name = node.output[0]
    stored = numpy_helper.from_array(half, f"{name}.half")
    yield helper.make_node("Constant", [], [f"{name}.half"], value=stored)
    yield _widened(name)


def _widened(name: str) -> NodeProto:
    return helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)


def _half(weight: TensorProto) -> np.ndarray | None:
    """None where it is small, of another type, or beyond what half precision holds."""
    values = numpy_helper.to_array(weight)
    if values.dtype != np.float32 or values.size < FEWEST:
        return None
    return values.astype(np.float16) if np.abs(values).max() < np.finfo(np.float16).max else None
