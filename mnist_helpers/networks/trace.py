"""What a network does while it looks at images: every layer it applies and every function of torch it calls."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode

INPUT_SHAPE = (1, 28, 28)
IMAGES = 2  # looked at: a BatchNorm without running statistics needs more than one
_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation")
# the arguments of functions in the order torch takes them in, as far as something here asks for them
ARGUMENTS = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), _CONVOLUTION),
    "linear": ("input", "weight", "bias"),
    "max_pool2d": ("input", "kernel_size", "stride", "padding", "dilation"),
    "avg_pool2d": ("input", "kernel_size", "stride"),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"), ("input", "p")),
    **dict.fromkeys(("mean", "amax"), ("input", "dim")),
}


@dataclass(frozen=True)
class Call:
    """One call of a function of torch that returned tensors."""

    function: str  # its name: `relu` for `F.relu(x)`, `x.relu_()` and `nn.ReLU` alike
    place: str  # the path of the module in whose `forward` it was called; the whole network's is empty
    arguments: dict[str, Any]
    inputs: list[Tensor]
    outputs: list[Tensor]

    def is_dense(self) -> bool:
        """Say whether this is a product with a matrix that is learnt."""
        learnt = any(isinstance(source, nn.Parameter) and source.dim() == 2 for source in self.inputs)
        return self.function == "linear" or (self.function in ("matmul", "mm", "addmm") and learnt)

    def multiply_adds(self) -> int:
        """Return the multiplications of a convolution or dense layer, all images together; of others 0."""
        values = sum(output.numel() for output in self.outputs)
        if ARGUMENTS.get(self.function) is _CONVOLUTION:
            return values * math.prod(self.arguments["weight"].shape[1:])
        return values * self.inputs[self.function == "addmm"].shape[-1] if self.is_dense() else 0


@dataclass(frozen=True)
class Step:
    """A layer applied, with the calls it made; or a call by a module that is made of layers."""

    name: str  # the layer's path in the network; of such a call that of the `forward` it stands in
    layer: nn.Module | None
    calls: list[Call]
    inputs: list[Tensor]
    outputs: list[Tensor]
    copies: list[Tensor] = field(default_factory=list)  # of outputs, since a ReLU may work in place on what it gets


def tensors(*values: Any) -> Iterator[Tensor]:
    """Yield the tensors among `values`, and in tuples, lists and dictionaries among them."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from tensors(*value)
        elif isinstance(value, dict):
            yield from tensors(*value.values())


class _Recorder(TorchFunctionMode):
    """Notes every call while it is entered; a module without children is a layer, the whole network never is."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.open = [("", False)]
        self.calls: list[Call] = []
        self.hooks = []
        for name, module in network.named_modules():
            if module is not network:
                place = name, not list(module.children())
                self.hooks.append(module.register_forward_pre_hook(lambda *_, place=place: self.open.append(place)))
                self.hooks.append(module.register_forward_hook(self._leave, with_kwargs=True))

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        if outputs := list(tensors(result)):
            name = getattr(function, "__name__", "").strip("_").removesuffix("_with_indices")
            place, in_layer = self.open[-1]
            arguments = dict(zip(ARGUMENTS.get(name, ()), args, strict=False)) | kwargs
            call = Call(name, place, arguments, list(tensors(args, kwargs)), outputs)
            step = Step(f"{place}.forward".lstrip("."), None, [call], call.inputs, outputs)
            self.calls.append(call) if in_layer else self.steps.append(step)
        return result

    def _leave(self, module: nn.Module, args: tuple, kwargs: dict[str, Any], result: Any) -> None:
        name, is_layer = self.open.pop()
        if is_layer:
            inputs, outputs = list(tensors(args, kwargs)), list(tensors(result))
            calls, self.calls = self.calls, []
            self.steps.append(Step(name, module, calls, inputs, outputs, [output.clone() for output in outputs]))


def black_images(network: nn.Module) -> Tensor:
    """Return zeros (2, 1, 28, 28), where the network's parameters are and in their precision."""
    like = next(network.parameters(), torch.empty(0))
    return torch.zeros(IMAGES, *INPUT_SHAPE, device=like.device, dtype=like.dtype)


@torch.no_grad()
def record(network: nn.Module, inputs: Tensor) -> list[Step]:
    """Return what `network`, in the mode it is in, does with `inputs`, in order; lazy layers get their shapes."""
    if any(map(is_lazy, chain(network.parameters(), network.buffers()))):
        network(inputs)
    recorder = _Recorder(network)
    try:
        with recorder:
            network(inputs)
    finally:
        for hook in recorder.hooks:
            hook.remove()
    return recorder.steps


@contextmanager
def looking(network: nn.Module, training: bool = False) -> Iterator[None]:
    """Hold `network` in a mode, and leave modes, buffers and random numbers as they were."""
    modes = {module: module.training for module in network.modules()}
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers() if not is_lazy(buffer)]
    with torch.random.fork_rng(range(torch.cuda.device_count())), torch.no_grad():
        network.train(training)
        try:
            yield
        finally:
            for module, mode in modes.items():
                module.training = mode
            for buffer, before in buffers:
                buffer.copy_(before)
