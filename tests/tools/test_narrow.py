"""Networks in half the bytes: the same answers but for rounding."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tools.assets.narrow import narrowed

ROWS = np.random.default_rng(0).standard_normal((64, 48)).astype(np.float32)


def network(weight: np.ndarray, constant: bool) -> bytes:
    """x · weight, the weight as an initializer that is also listed as an input, or as a node."""
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 64]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 48]),
    ]
    stored = numpy_helper.from_array(weight, "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    inputs, initializers = [ends[0]], [stored]
    if constant:
        nodes.insert(0, helper.make_node("Constant", [], ["w"], value=stored))
        initializers = []
    else:
        inputs.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [64, 48]))
    graph = helper.make_graph(nodes, "small", inputs, ends[1:], initializers)
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString()


def answer(data: bytes) -> np.ndarray:
    x = np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64)
    return np.asarray(onnxruntime.InferenceSession(data).run(None, {"x": x})[0])


@pytest.mark.parametrize("constant", [False, True])
def test_weights_take_half_the_bytes_and_answers_hardly_change(constant: bool) -> None:
    whole = network(ROWS, constant)
    narrow = narrowed(whole)
    onnx.checker.check_model(narrow)
    assert len(narrow) < 0.55 * len(whole)
    assert answer(narrow) == pytest.approx(answer(whole), abs=0.01)
    assert not np.array_equal(answer(narrow), answer(whole))


def test_a_weight_beyond_half_precision_stays_as_it_is() -> None:
    whole = network(ROWS * 1e6, constant=False)
    assert np.array_equal(answer(narrowed(whole)), answer(whole))


def test_the_same_file_comes_out_each_time() -> None:
    whole = network(ROWS, constant=False)
    assert narrowed(whole) == narrowed(whole)
