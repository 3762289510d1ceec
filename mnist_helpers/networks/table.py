"""A network as a table: output shape, parameters, multiply-adds, receptive field and jump of every layer."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from mnist_helpers.networks.receptive import final_poolings, receptive_fields
from mnist_helpers.networks.trace import ARGUMENTS, IMAGES, black_images, looking, record

WINDOWED = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
# functions that are layers wherever they are called
FUNCTIONS = frozenset(ARGUMENTS) - {"mean", "amax"} | {
    *("adaptive_avg_pool2d", "adaptive_max_pool2d", "batch_norm", "instance_norm", "group_norm", "layer_norm"),
    *("relu", "relu6", "prelu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "hardswish", "sigmoid", "tanh"),
}


@dataclass(frozen=True)
class Layer:
    """One row of the table."""

    name: str  # its path in the network, such as `input_block.0`; of a function, where it is called: `forward`
    kind: str  # a class, such as `Conv2d`; of a function its name, `relu`; `Parameter` of one that no layer holds
    output_shape: tuple[int, ...]  # without the batch: (C, H, W) or (C,)
    parameters: int  # those that no row above counts
    multiply_adds: int  # multiplications of convolutions and dense layers for one image
    receptive_field: int  # longer side in input pixels of what an output value depends on; of a parameter 0
    jump: int  # distance in input pixels between two neighbouring output values; of a parameter 0


def layer_table(network: nn.Module) -> list[Layer]:
    """Return one row for each layer in the order it is applied, for one image (1, 28, 28).

    Functions count as layers where a module made of layers calls them. A layer applied twice has two rows, its
    parameters in the first. A parameter that no layer holds has a row where it is first used, or at the end: together
    the rows have the network's parameters. Lazy layers get their shapes; all else is left as it was.
    """
    inputs = black_images(network)
    with looking(network):
        steps = record(network, inputs)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    left = dict(network.named_parameters())
    ends = {id(call) for call in final_poolings([call for step in steps for call in step.calls])}
    rows = []
    for step, field in zip(steps, receptive_fields(steps, inputs), strict=True):
        call = step.calls[0] if step.layer is None else None
        used = [names[id(t)] for t in (step.inputs if call else step.layer.parameters()) if id(t) in names]
        if call:
            rows += [_parameter(name, left.pop(name)) for name in used if name in left]
            if not (call.function in FUNCTIONS or id(call) in ends or call.is_dense()):
                continue
        rows.append(
            Layer(
                name=step.name,
                kind=call.function if call else type(step.layer).__name__,
                output_shape=tuple(step.outputs[0].shape[1:]) if step.outputs else (),
                parameters=sum(left.pop(name).numel() for name in used if name in left),
                multiply_adds=sum(call.multiply_adds() for call in step.calls) // IMAGES,
                receptive_field=max(field.sides),
                jump=max(field.jumps),
            )
        )
    return rows + [_parameter(name, parameter) for name, parameter in left.items()]


def training_multiply_adds(rows: Sequence[Layer], frozen: int = 0) -> int:
    """Return the multiply-adds of one training step for one image, convolutions and dense layers only.

    Forward, and as many again for each of two gradients: by the weights and by the inputs. The first layer that
    learns needs none by its inputs, and the `frozen` ones before it none at all.
    """
    costs = [row.multiply_adds for row in rows if row.multiply_adds]
    return sum(costs[:frozen]) + 2 * costs[frozen] + 3 * sum(costs[frozen + 1 :])


def _parameter(name: str, parameter: nn.Parameter) -> Layer:
    return Layer(name, "Parameter", tuple(parameter.shape), parameter.numel(), 0, 0, 0)


def trace(network: nn.Module, inputs: Tensor) -> list[tuple[str, nn.Module, Tensor, Tensor]]:
    """Return (name, layer, first input, copy of first output) of every layer without children, in order of use."""
    steps = record(network, inputs.to(next(network.parameters()).device))
    return [(step.name, step.layer, step.inputs[0], step.copies[0]) for step in steps if step.layer is not None]


def format_layer_table(rows: Sequence[Layer]) -> str:
    """Return the table as aligned text, with a line of totals; `field` is the receptive field in pixels across."""
    table = [("layer", "kind", "output", "parameters", "multiply-adds", "field", "jump")]
    for row in rows:
        numbers = (f"{row.parameters:,}", f"{row.multiply_adds:,}", str(row.receptive_field), str(row.jump))
        table.append((row.name, row.kind, "×".join(map(str, row.output_shape)), *numbers))
    totals = (sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows))
    table.append(("total", "", "", *(f"{total:,}" for total in totals), "", ""))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    aligned = [[*map(str.ljust, line[:3], widths), *map(str.rjust, line[3:], widths[3:])] for line in table]
    return "\n".join("  ".join(line).rstrip() for line in aligned)
