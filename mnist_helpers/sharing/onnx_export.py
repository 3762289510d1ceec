"""A network as an ONNX file: one graph of standard operators that runs without PyTorch and without this project."""

import onnx
import torch
from google.protobuf.message import Message
from torch import nn

OPSET = 18  # of 2022: every runtime since knows it
IR_VERSION = 10
INPUT, OUTPUT = "images", "logits"
ONNX_FILE = "model.onnx"


def to_onnx(network: nn.Module) -> bytes:
    """Return `network` as an ONNX file: the same bytes for the same weights.

    Its input `images` are normalised images (N, 1, 28, 28) float32, N of any size; its output `logits` are (N, 10).
    A BatchNorm behind a convolution is part of it. What such a file holds: https://onnx.ai/onnx/intro/concepts.html.
    """
    program = torch.onnx.export(
        network.eval(),
        (torch.zeros(2, 1, 28, 28),),
        input_names=[INPUT],
        output_names=[OUTPUT],
        dynamic_shapes=({0: torch.export.Dim("N")},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    model.ir_version = IR_VERSION
    # shapes in between can be inferred; who made the file, from which lines of code, is no matter of its reader
    del model.graph.value_info[:]
    _forget(model)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _forget(message: Message) -> None:
    """Clear what `message` and all its parts say of their origin."""
    for field in ("doc_string", "metadata_props", "producer_name", "producer_version"):
        if field in message.DESCRIPTOR.fields_by_name:
            message.ClearField(field)
    for field, value in message.ListFields():
        if field.message_type:
            for part in value if field.is_repeated else [value]:
                _forget(part)
