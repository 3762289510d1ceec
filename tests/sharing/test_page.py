"""The page to draw on as a file: built from the weights to take away, whole, small, and loading nothing."""

import base64
import importlib
import re

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper

from mnist_helpers.paths import resolve
from mnist_helpers.sharing import PAGE
from mnist_helpers.sharing.page import SOURCES, build, pack

MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def built() -> str:
    return build()


def test_the_committed_page_is_the_one_that_the_command_builds(built):
    assert resolve(PAGE).read_text(encoding="utf-8") == built, "run: make page"


def test_it_is_one_small_file_that_loads_nothing(built):
    assert len(built.encode()) <= MOST_BYTES
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', built)[1].split("; ")
    assert policy[:2] == ["default-src 'none'", "img-src data:"]
    assert all(re.fullmatch(r"(style|script)-src 'sha256-[\w+/=]{44}'", rule) for rule in policy[2:])
    # the project's own address is a link to follow, put together when the page is on GitHub's
    assert re.findall(r"\w+://[^\"'`\s]*", built) == ["https://github.com/${owner}/${project}#readme"]
    assert not re.findall(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=\"(?!data:)", built)
    assert not re.findall(r"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\b\s*\(", built)


def test_its_preparation_has_the_numbers_of_pythons():
    source = (SOURCES / "prepare.js").read_text(encoding="utf-8")
    source += (SOURCES / "damage.js").read_text(encoding="utf-8")
    numbers = {
        name: float(value) for name, value in re.findall(r"^const ([A-Z_]+) = ([\d.e-]+);", source, re.MULTILINE)
    }
    named = {
        name: value
        for name, value in vars(importlib.import_module("mnist_helpers.handwriting.prepare")).items()
        if name.isupper()
    }
    assert numbers == named


def graph(operator, weights, **attributes):
    """A network of one operator."""
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(operator, ["images", "weights"], ["logits"], **attributes)],
            "network",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 1, 28, 28])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])],
            [onnx.numpy_helper.from_array(weights, "weights")],
        )
    )


@given(arrays(np.float32, st.integers(1, 20), elements=st.floats(-1000, 1000, width=32, allow_subnormal=False)))
@settings(deadline=None)
def test_three_bytes_keep_what_float32_keeps_of_the_largest(weights):
    packed = pack(graph("Add", weights))
    (_, dims, scale), data = packed["constants"][0], base64.b64decode(packed["weights"])
    back = [int.from_bytes(data[i : i + 3], "little", signed=True) * scale for i in range(0, len(data), 3)]
    assert dims == [len(weights)] == [len(back)]
    assert (np.abs(np.array(back) - weights) <= np.abs(weights).max() * 2.0**-23).all()


def test_what_the_page_cannot_compute_is_refused_by_name():
    weights = np.ones((1, 1, 3, 3), np.float32)
    window = {"kernel_shape": [3, 3], "pads": [0] * 4, "strides": [1, 1]}
    assert pack(graph("Conv", weights, **window))["nodes"] == [["Conv", [2, 1], 3, {**window, "group": 1}]]
    for model, said in (
        (graph("Conv", weights, **window, dilations=[2, 2]), r"Conv with dilations=\[2, 2\]"),
        (graph("Conv", weights, auto_pad="SAME_UPPER"), "Conv with auto_pad=b'SAME_UPPER'"),
        (graph("Gemm", weights[0, 0]), "Gemm with transB=0"),
        (graph("PRelu", weights), "no operator PRelu"),
    ):
        with pytest.raises(ValueError, match=said):
            pack(model)


def test_a_network_that_is_missing_is_said_with_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"final/model\.onnx is not there; run: make models"):
        build(tmp_path)
