"""The page to draw on: one HTML file with three networks inside, which reads digits while they are drawn.

`page/` holds its sources; `network.js` there runs the networks as their ONNX files have them, operator by operator.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from mnist_helpers.data import MEAN, STD
from mnist_helpers.files import write_text_atomically
from mnist_helpers.handwriting import read_thresholds
from mnist_helpers.networks import SHARED_FOLDER, build_model, count_parameters
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.sharing.onnx_export import ONNX_FILE

PAGE = "outputs/page/draw.html"
PAGE_NETWORKS = ("final", "best", "tiny")
REFUSAL = "refusal"  # the network that knows what is no digit
SOURCES = Path(__file__).with_suffix("")
SCRIPTS = ("network", "damage", "prepare", "judge", "paper", "scan", "main")

# the attributes that `network.js` reads of each operator it knows
WINDOW = ("kernel_shape", "pads", "strides")
READ: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("Add", "Clip", "Div", "Expand", "Gemm", "GridSample", "LogSoftmax", "MatMul", "Max", "Mul"), ()),
    **dict.fromkeys(("Pow", "Relu", "Reshape", "Shape", "Slice", "Sqrt", "Squeeze", "Sub", "Unsqueeze"), ()),
    **dict.fromkeys(("ReduceMean", "ReduceSum"), ("keepdims",)),
    **dict.fromkeys(("AveragePool", "MaxPool"), WINDOW),
    "Concat": ("axis",),
    "Conv": (*WINDOW, "group"),
    "Transpose": ("perm",),
}
# what it takes for granted of the others
GRANTED: dict[str, tuple[Any, ...]] = {
    "align_corners": (0,),
    "allowzero": (0, 1),  # no side is 0
    "alpha": (1,),
    "auto_pad": (b"NOTSET",),
    "axis": (1, -1),
    "beta": (1,),
    "ceil_mode": (0,),
    "count_include_pad": (1,),
    "dilations": ([1, 1],),
    "mode": (b"bilinear", b"linear"),
    "noop_with_empty_axes": (0,),
    "padding_mode": (b"zeros",),
    "start": (0,),
    "storage_order": (0,),
    "transA": (0,),
    "transB": (1,),
}


def build(models_folder: str | Path = SHARED_FOLDER) -> str:
    """Return the page with the networks in `models_folder`/NAME/model.onnx; the same files give the same page.

    Raises FileNotFoundError: a file is not there; ValueError: a network does what the page cannot, or its threshold
    is missing.
    """
    networks = {}
    for name in (*PAGE_NETWORKS, REFUSAL):
        path = resolve(models_folder) / name / ONNX_FILE
        if not path.is_file():
            raise FileNotFoundError(f"{display_path(path)} is not there; run: make models")
        try:
            networks[name] = pack(onnx.load(path))
        except ValueError as error:
            raise ValueError(f"{display_path(path)}: {error}") from None
    thresholds = read_thresholds()
    if missing := [name for name in PAGE_NETWORKS if name not in thresholds.networks]:
        raise ValueError(f"there is no threshold for {', '.join(missing)}; run: make models")
    content = {
        "mean": MEAN,
        "std": STD,
        "choices": {
            name: {
                "parameters": count_parameters(build_model(name)),
                "threshold": thresholds.networks[name].threshold,
            }
            for name in PAGE_NETWORKS
        },
        "limit": thresholds.refusal.limit,
        "networks": networks,
    }
    data = json.dumps(content, separators=(",", ":"))
    style, script = _source("style.css"), "\n".join(_source(f"{name}.js") for name in SCRIPTS)
    policy = f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}"
    page = _source("template.html")
    for name, text in {"policy": policy, "style": style, "data": data, "script": script}.items():
        page = page.replace(f"{{{{{name}}}}}", text)
    return page


def pack(model: ModelProto) -> dict[str, Any]:
    """Return a network as the page takes it: nodes by numbered values, constants, weights in base64.

    Raises ValueError: an operator or an attribute is not one that the page can compute.
    """
    graph = model.graph
    numbers: dict[str, int | None] = {"": None}  # an input left out

    def number(value: str) -> int | None:
        return numbers.setdefault(value, len(numbers))

    constants, weights = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        constant = [number(tensor.name), list(values.shape)]
        if values.dtype == np.float32:
            scale, packed = _three_bytes(values.ravel())
            constant.append(scale)
            weights.append(packed)
        else:
            # what counts from the end is near the end; JavaScript knows no 64-bit numbers
            constant.append(np.clip(values, -(2**31), 2**31 - 1).tolist())
        constants.append(constant)
    return {
        "input": number(graph.input[0].name),
        "nodes": [
            [node.op_type, [*map(number, node.input)], number(node.output[0]), _attributes(node)]
            for node in graph.node
        ],
        "output": number(graph.output[0].name),
        "constants": constants,
        "weights": base64.b64encode(b"".join(weights)).decode(),
    }


def _three_bytes(values: np.ndarray) -> tuple[float, bytes]:
    """Return a scale, and `values` of float32 in its units as whole numbers of three bytes each, lowest first.

    The largest is 2²³ − 1: what is lost is as little as in float32, next to the largest, and a quarter of the page.
    """
    scale = float(np.abs(values).max()) / (2**23 - 1) or 1.0
    whole = np.rint(values.astype(np.float64) / scale).astype("<i4")
    return scale, whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _attributes(node: NodeProto) -> dict[str, Any]:
    """Return the attributes that the page reads. Raises ValueError: the others are not what it takes for granted."""
    if node.op_type not in READ:
        raise ValueError(f"the page has no operator {node.op_type}; mnist_helpers/sharing/page/network.js needs it")
    found = {name: value.default_value for name, value in onnx.defs.get_schema(node.op_type).attributes.items()}
    values = {name: helper.get_attribute_value(attribute) for name, attribute in found.items() if attribute.type} | {
        attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute
    }
    for name, value in values.items():
        if name not in READ[node.op_type] and value not in GRANTED.get(name, ()):
            raise ValueError(f"the page cannot compute {node.op_type} with {name}={value!r}")
    return {name: values[name] for name in READ[node.op_type]}


def _source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return what a Content-Security-Policy calls `text` by (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; return 1 where it cannot be built."""
    argparse.ArgumentParser(prog="python -m mnist_helpers page", description=__doc__).parse_args(arguments)
    try:
        page = build()
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    path = resolve(PAGE)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomically(path, page)
    print(f"{display_path(path)}: {len(page.encode()):,} bytes")
    return 0
