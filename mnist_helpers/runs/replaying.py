"""A GPU's step recorded once and replayed: hundreds of small kernels start together, not one by one from Python."""

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mnist_helpers.training import Hook, LossOf, Settings, Step

WARM_STEPS = 2  # of an epoch, step by step: libraries choose their kernels then, which a recording cannot


class Replaying(Hook):
    """Has a GPU repeat a recorded loss with its gradients in every step of a whole batch (CUDA graphs).

    https://pytorch.org/blog/accelerating-pytorch-with-cuda-graphs/. The numbers stay those of the plain loop. Every
    epoch records anew, since other hooks may change what learns. A network must not read numbers back from the GPU.
    """

    def before_epoch(self, network: nn.Module, epoch: int, settings: Settings) -> Settings:
        self._whole, self._steps, self._recording = settings.batch_size, 0, None
        return settings

    def step(self, step: Step) -> Step:
        def replayed(
            network: nn.Module, inputs: Tensor, targets: Tensor, optimizer: Optimizer, loss_of: LossOf
        ) -> tuple[Tensor, Tensor]:
            self._steps += 1
            if self._steps <= WARM_STEPS or len(inputs) < self._whole:
                return step(network, inputs, targets, optimizer, loss_of)
            if self._recording is None:
                optimizer.zero_grad()  # gradients of another memory, which the recording would add to
                self._recording = Recording(loss_of, network, inputs, targets)
            found = self._recording(inputs, targets)
            optimizer.step()  # outside: its rate and momentum are other numbers in every step
            return found

        return replayed


class Recording:
    """The loss of a network and its gradients as a CUDA graph, which reads and writes the same memory every time."""

    def __init__(self, loss_of: LossOf, network: nn.Module, inputs: Tensor, targets: Tensor) -> None:
        self._inputs, self._targets = inputs.clone(), targets.clone()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            loss, logits = loss_of(network, self._inputs, self._targets)
            loss.backward()
        self._found = loss.detach(), logits.detach()

    def __call__(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss () of a batch and the logits (N, 10), good until the next call; gradients are in place."""
        self._inputs.copy_(inputs)
        self._targets.copy_(targets)
        self._graph.replay()
        return self._found
