"""An ONNX file answers as its network does, is the same each time, and tells nothing of where it was made."""

import copy
import re
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from mnist_helpers.data import normalise
from mnist_helpers.networks import SHARED, SHARED_FOLDER, load
from mnist_helpers.paths import resolve
from mnist_helpers.sharing.onnx_export import ONNX_FILE, OPSET, to_onnx

# arithmetic, windows and shapes: little enough to be run by a page
OPERATORS = {
    "Add", "AveragePool", "BatchNormalization", "Clip", "Concat", "Conv", "Div", "Expand", "Gemm", "GridSample",
    "LogSoftmax", "MatMul", "Max", "MaxPool", "Mul", "Pow", "ReduceMean", "ReduceSum", "Relu", "Reshape", "Shape",
    "Slice", "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze",
}  # fmt: skip


def stored(name):
    return (resolve(SHARED_FOLDER) / name / ONNX_FILE).read_bytes()


def logits(data, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return torch.from_numpy(np.concatenate([session.run(["logits"], {"images": one.numpy()})[0] for one in inputs]))


@torch.inference_mode()
def check_the_same(name, data, pixels, at_once):
    inputs = normalise(pixels).split(at_once)
    found, expected = logits(data, inputs), torch.cat([load(name)(one) for one in inputs])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
    assert torch.equal(found.argmax(1), expected.argmax(1))


@pytest.mark.parametrize("name", SHARED)
def test_it_answers_as_the_network_whatever_the_number_of_images(name, mnist):
    pixels = mnist[1].pixels
    for count in (1, 7, 500):
        check_the_same(name, stored(name), pixels[:count], count)


@pytest.mark.training
@pytest.mark.parametrize("name", SHARED)
def test_it_answers_as_the_network_on_every_test_digit(name, mnist):
    check_the_same(name, stored(name), mnist[1].pixels, 500)


@pytest.mark.parametrize("name", SHARED)
def test_two_weights_in_each_others_place_are_noticed(name, mnist):
    model = onnx.load_from_string(stored(name))
    first = next(one for one in model.graph.initializer if one.name.endswith(".weight"))
    weights = numpy_helper.to_array(first).copy().ravel()
    weights[[0, 1]] = weights[[1, 0]]
    first.raw_data = weights.tobytes()
    with pytest.raises(AssertionError):
        check_the_same(name, model.SerializeToString(), mnist[1].pixels[:7], 7)


@pytest.mark.parametrize("name", SHARED)
def test_it_is_as_plain_as_can_be_and_whole(name):
    model = onnx.load_from_string(stored(name))
    onnx.checker.check_model(model, full_check=True)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", OPSET)]
    for value, shape in ((model.graph.input, ["N", 1, 28, 28]), (model.graph.output, ["N", 10])):
        (only,) = value
        assert only.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert [d.dim_param or d.dim_value for d in only.type.tensor_type.shape.dim] == shape
    operators = Counter(node.op_type for node in model.graph.node)
    assert set(operators) <= OPERATORS
    # behind a pooling it cannot be part of a convolution
    assert operators["BatchNormalization"] == (name == "fast")
    assert all(one.data_location == onnx.TensorProto.DEFAULT for one in model.graph.initializer)
    # beside the weights no file, line or version of what made it
    for one in model.graph.initializer:
        one.ClearField("raw_data")
    assert not re.search(rb"torch|\.py|site-packages|File \"|/[a-z]{3,}/", model.SerializeToString())


@pytest.mark.training
@pytest.mark.parametrize("name", SHARED)
def test_it_is_made_of_the_stored_weights_and_the_same_again(name):
    assert to_onnx(load(name)) == to_onnx(load(name)) == stored(name)


def by_trace(network, inputs):
    with pytest.warns(FutureWarning, match="trace"):  # deprecated, and still used
        return torch.jit.trace(network, inputs)


def by_export(network, inputs):
    return torch.export.export(network, (inputs,), dynamic_shapes=({0: torch.export.Dim("N")},)).module()


@pytest.mark.training
@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("route", [by_trace, by_export, lambda network, _: copy.deepcopy(network)])
def test_networks_are_handed_on_by_the_routes_that_are_promised(route, name):
    """`torch.jit.script` takes no network that sets digits upright, and is not promised."""
    network, inputs = load(name), torch.rand(7, 1, 28, 28)
    torch.testing.assert_close(route(network, torch.zeros(2, 1, 28, 28))(inputs), network(inputs))
