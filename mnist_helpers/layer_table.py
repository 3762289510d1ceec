"""A network as a table: output shape, parameters, multiply-adds, receptive field and jump of every layer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
GLOBAL = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
INPUT_SHAPE = (1, 28, 28)


@dataclass(frozen=True)
class Layer:
    """One row of the table."""

    name: str
    """The layer's path in the network, such as `input_block.0`."""
    kind: str
    output_shape: tuple[int, ...]
    """Without the batch: (C, H, W) or (C,)."""
    parameters: int
    multiply_adds: int
    """Multiplications of convolutions and dense layers for one image."""
    receptive_field: int
    """Side in input pixels of the square an output value depends on."""
    jump: int
    """Distance in input pixels between two neighbouring output values."""


def layer_table(model: nn.Module, input_shape: Sequence[int] = INPUT_SHAPE) -> list[Layer]:
    """Return one row for each layer in the order it is applied, for one image of `input_shape` (C, H, W).

    Receptive field r and jump j of a window of size k, stride s and dilation d follow
    r ← r + (k − 1) · d · j and j ← j · s, from r = j = 1 (Araujo, Norris & Sim 2019, Computing Receptive Fields of
    Convolutional Neural Networks, https://distill.pub/2019/computing-receptive-fields). Global pooling sees all. A
    layer that sees a whole image starts anew: networks side by side follow one another in the table.

    Raises:
        ValueError: windows that are not square, which one number cannot describe.
    """
    rows, receptive_field, jump = [], 1, 1
    with _evaluation(model):
        for name, layer, inputs, output in trace(model, torch.zeros(1, *input_shape)):
            if tuple(inputs.shape[1:]) == tuple(input_shape):
                receptive_field, jump = 1, 1
            if isinstance(layer, WINDOWED):
                kernel, stride, dilation = (_square(layer, key) for key in ("kernel_size", "stride", "dilation"))
                receptive_field += (kernel - 1) * dilation * jump
                jump *= stride
            elif isinstance(layer, GLOBAL):
                receptive_field += (inputs.shape[-1] - 1) * jump
                jump *= inputs.shape[-1]
            rows.append(
                Layer(
                    name=name,
                    kind=type(layer).__name__,
                    output_shape=tuple(output.shape[1:]),
                    parameters=sum(p.numel() for p in layer.parameters() if p.requires_grad),
                    multiply_adds=_multiply_adds(layer, output),
                    receptive_field=receptive_field,
                    jump=jump,
                )
            )
    return rows


def training_multiply_adds(rows: Sequence[Layer], frozen: int = 0) -> int:
    """Return the multiply-adds of one training step for one image, convolutions and dense layers only.

    Forward, and as many again for each of two gradients: by the weights and by the inputs. The first layer that
    learns needs none by its inputs, and the `frozen` ones before it none at all.
    """
    costs = [row.multiply_adds for row in rows if row.multiply_adds]
    return sum(costs[:frozen]) + 2 * costs[frozen] + 3 * sum(costs[frozen + 1 :])


def _multiply_adds(layer: nn.Module, output: Tensor) -> int:
    if isinstance(layer, nn.Conv2d):
        return layer.weight.numel() * output.shape[-2] * output.shape[-1]
    return layer.weight.numel() if isinstance(layer, nn.Linear) else 0


def _square(layer: nn.Module, attribute: str) -> int:
    value = getattr(layer, attribute, 1)  # average pooling has no dilation
    sides = {value} if isinstance(value, int) else set(value)
    if len(sides) != 1:
        raise ValueError(f"{type(layer).__name__} has {attribute}={value}; the table describes square windows only")
    return sides.pop()


@contextmanager
def _evaluation(model: nn.Module) -> Iterator[None]:
    """Hold `model` in evaluation mode, so that looking at it does not move its BatchNorm statistics."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def trace(model: nn.Module, inputs: Tensor) -> list[tuple[str, nn.Module, Tensor, Tensor]]:
    """Return (name, layer, its input, a copy of its output) of every layer without children, in the order applied.

    A copy, since a ReLU may work in place on what the layer before it returned.
    """
    calls: list[tuple[str, nn.Module, Tensor, Tensor]] = []
    hooks = [
        layer.register_forward_hook(
            lambda layer, args, output, name=name: calls.append((name, layer, args[0], output.clone()))
        )
        for name, layer in model.named_modules()
        if not list(layer.children())
    ]
    try:
        with torch.no_grad():
            model(inputs.to(next(model.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return calls


def format_layer_table(rows: Sequence[Layer]) -> str:
    """Return the table as aligned text, with a line of totals."""
    header = ("layer", "kind", "output", "parameters", "multiply-adds", "receptive field", "jump")
    body = [
        (
            row.name,
            row.kind,
            "×".join(map(str, row.output_shape)),
            f"{row.parameters:,}",
            f"{row.multiply_adds:,}",
            str(row.receptive_field),
            str(row.jump),
        )
        for row in rows
    ]
    parameters, multiply_adds = sum(r.parameters for r in rows), sum(r.multiply_adds for r in rows)
    body.append(("total", "", "", f"{parameters:,}", f"{multiply_adds:,}", "", ""))
    widths = [max(len(line[column]) for line in (header, *body)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (header, *body)
    )
