"""Muon: momentum whose step through a weight matrix is as long in every direction."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

MATRIX_SHARE = 0.2  # of the learning rate, for matrices, so that one number serves all parameters
ROUNDS = 3  # of Newton and Schulz' iteration; more changed nothing on held-out digits
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # Jordan's: singular values end between 0.7 and 1.2, soon


class Muon(Optimizer):
    """SGD with Nesterov momentum that makes the steps of convolutions orthogonal; biases, norms, dense layers: SGD.

    Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/. A convolution's weight (C, D, K, K) counts as a
    matrix (C, D·K·K).
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, momentum: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            rate, momentum, decay = group["lr"], group["momentum"], group["weight_decay"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                is_matrix = parameter.ndim == 4 and parameter.shape[1] > 1
                gradient = parameter.grad if is_matrix else parameter.grad.add(parameter, alpha=decay)
                average = state["momentum_buffer"].mul_(momentum).add_(gradient)
                step = gradient.add(average, alpha=momentum)
                if is_matrix:
                    step = orthogonal(step.flatten(1)).view_as(step)
                    parameter.mul_(1 - rate * decay)
                parameter.add_(step, alpha=-rate * (MATRIX_SHARE if is_matrix else 1))


def orthogonal(matrix: Tensor) -> Tensor:
    """Return the nearest matrix (M, N) to `matrix` whose singular values are all about 1 (Newton and Schulz)."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if tall else matrix
    found = found / (found.norm() + 1e-7)
    for _ in range(ROUNDS):
        gram = found @ found.T
        found = a * found + (b * gram + c * gram @ gram) @ found
    return found.T if tall else found
