"""A GPU's step recorded once and replayed: hundreds of small kernels start together, not one by one from Python."""

from typing import Any

import torch
from torch import Tensor, nn

from mnist_helpers.training import Hook, LossOf, Settings

WARM_STEPS = 2  # of an epoch, step by step: libraries choose their kernels then, which a recording cannot


class Replaying(Hook):
    """Has a GPU repeat a recorded loss with its gradients in every step of a whole batch (CUDA graphs).

    https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs/. The numbers stay those of the plain loop. Every
    epoch records anew, since other hooks may change what learns. A network must not read numbers back from the GPU.
    """

    def before_epoch(self, network: nn.Module, epoch: int, settings: Settings) -> Settings:
        self._whole, self._steps, self._recording = settings.batch_size, 0, None
        return settings

    def loss(self, loss_of: LossOf) -> LossOf:
        def replayed(network: nn.Module, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            self._steps += 1
            if self._steps <= WARM_STEPS or len(inputs) < self._whole:
                return loss_of(network, inputs, targets)
            if self._recording is None:
                self._recording = Recording(loss_of, network, inputs, targets)
            return self._recording(inputs, targets)

        return replayed


class Recording:
    """The loss of a network and its gradients as a CUDA graph, which reads and writes the same memory every time."""

    def __init__(self, loss_of: LossOf, network: nn.Module, inputs: Tensor, targets: Tensor) -> None:
        self._inputs, self._targets = inputs.clone(), targets.clone()
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            loss, logits = loss_of(network, self._inputs, self._targets)
            found = torch.autograd.grad(loss, learning, allow_unused=True)
        self._loss, self._logits = loss.detach(), logits.detach()
        used = [(p, gradient) for p, gradient in zip(learning, found, strict=True) if gradient is not None]
        self._learning, self._gradients = zip(*used, strict=True)

    def __call__(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss () of a batch, whose gradients are there already, and the logits (N, 10)."""
        self._inputs.copy_(inputs)
        self._targets.copy_(targets)
        self._graph.replay()
        return KnownGradients.apply(self._loss, self._gradients, *self._learning), self._logits


class KnownGradients(torch.autograd.Function):
    """A loss () whose gradients, one for each parameter, were computed with it: `backward` hands them over."""

    @staticmethod
    def forward(ctx: Any, loss: Tensor, gradients: tuple[Tensor, ...], *learning: Tensor) -> Tensor:
        ctx.gradients = gradients
        return loss.clone()  # the next replay writes over the recording's own

    @staticmethod
    def backward(ctx: Any, of_loss: Tensor) -> tuple[Tensor | None, ...]:
        # detached, a gradient is taken as it is; otherwise autograd would copy it, as somebody else holds it
        return None, None, *(gradient.detach() for gradient in ctx.gradients)
