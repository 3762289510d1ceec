"""How far back into the image an output value sees: receptive field and jump, followed through a network's calls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from mnist_helpers.networks.trace import Call, Step

AVERAGES = frozenset({"avg_pool2d", "adaptive_avg_pool2d", "mean"})
POOLINGS = AVERAGES | {"max_pool2d", "adaptive_max_pool2d", "amax"}


@dataclass(frozen=True)
class Field:
    """What a map's values depend on; heights, then widths."""

    sides: tuple[int, int] = (1, 1)  # of the rectangle of input pixels that a value depends on
    jumps: tuple[int, int] = (1, 1)  # input pixels between two neighbouring values
    places: tuple[int, int] = (1, 1)  # of the map, also when it has been flattened since

    def through(self, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int] = (1, 1)) -> "Field":
        """Return the field behind a window.

        Side r and jump j follow r ← r + (k − 1) · d · j and j ← j · s, from r = j = 1 (Araujo, Norris & Sim 2019,
        Computing Receptive Fields of Convolutional Neural Networks, https://distill.pub/2019/computing-receptive-fields).
        """
        sides = tuple(self.sides[a] + (kernel[a] - 1) * dilation[a] * self.jumps[a] for a in (0, 1))
        return Field(sides, tuple(self.jumps[a] * stride[a] for a in (0, 1)), self.places)


def receptive_fields(steps: Sequence[Step], inputs: Tensor) -> list[Field]:
    """Return the field of every step's output; where paths meet, the largest.

    A pooling over all places after which places come back, as in squeeze-and-excite, only weighs a map that has its
    own field: it changes none.
    """
    calls = [call for step in steps for call in step.calls]
    ends = {id(call) for call in final_poolings(calls)}
    known = {id(inputs): Field(places=tuple(inputs.shape[-2:]))}

    def largest(sources: Sequence[Tensor]) -> Field:
        return max((known[id(t)] for t in sources if id(t) in known), key=lambda f: max(f.sides), default=Field())

    fields = []
    for step in steps:
        for call in step.calls:
            field = _behind(call, largest(call.inputs), id(call) in ends)
            for output in call.outputs:
                places = tuple(output.shape[2:]) if output.dim() == 4 else field.places
                known[id(output)] = replace(field, places=places)
        for output in step.outputs:  # what torch does not report, such as that of a function with its own gradient
            known.setdefault(id(output), largest(step.inputs))
        fields.append(largest(step.outputs))
    return fields


def _behind(call: Call, field: Field, at_the_end: bool) -> Field:
    asked = call.arguments
    if pools_everything(call):  # elsewhere than at the end it weighs a map that comes back
        return field.through(field.places, field.places) if at_the_end else field
    if call.function == "conv2d":
        kernel = asked["weight"].shape[2:]
        return field.through(kernel, _pair(asked.get("stride", 1)), _pair(asked.get("dilation", 1)))
    if call.function in ("max_pool2d", "avg_pool2d"):
        kernel = _pair(asked["kernel_size"])
        return field.through(kernel, _pair(asked.get("stride") or kernel), _pair(asked.get("dilation", 1)))
    if call.function in ("adaptive_avg_pool2d", "adaptive_max_pool2d"):
        places, left = call.inputs[0].shape[-2:], call.outputs[0].shape[-2:]
        stride = [a // b for a, b in zip(places, left, strict=True)]
        kernel = [a - (b - 1) * s for a, b, s in zip(places, left, stride, strict=True)]
        return field.through(kernel, stride)
    return field


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def pools_everything(call: Call) -> bool:
    """Say whether a call makes one value a channel of all places of a map, flattened or not."""
    if call.function not in POOLINGS:
        return False
    source, result = call.inputs[0], call.outputs[0]
    if call.function.endswith("pool2d"):
        return math.prod(source.shape[-2:]) > 1 == math.prod(result.shape[-2:])
    if source.dim() not in (3, 4):
        return False
    dims = call.arguments.get("dim")
    dims = {dims} if isinstance(dims, int) else set(dims or ())
    return {d % source.dim() for d in dims} == set(range(2, source.dim())) and math.prod(source.shape[2:]) > 1


def final_poolings(calls: Sequence[Call]) -> list[Call]:
    """Return the poolings over all places from whose results no map with places is made again."""
    ends, leading = [], set()  # the latter: tensors from which such a map is made
    for call in reversed(calls):
        returns = any(id(output) in leading for output in call.outputs)
        if pools_everything(call) and not returns:
            ends.insert(0, call)
        if returns or any(output.dim() == 4 and math.prod(output.shape[2:]) > 1 for output in call.outputs):
            leading |= {id(source) for source in call.inputs}
    return ends
