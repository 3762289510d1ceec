"""What the recipes of notebooks 12 and 13 add to the plain loop, and their settings."""

from itertools import zip_longest
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from pydantic import AfterValidator, BaseModel, Field
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mnist_helpers.data import Images
from mnist_helpers.networks import Views, together
from mnist_helpers.runs.own import course_network
from mnist_helpers.training import EPOCH_BUDGET, Hook, LossOf, Settings


class HookSettings(BaseModel, frozen=True):
    """What a run says of its hooks."""

    whitened: bool = False  # the first convolution starts from the training images' principal components (Whitening)
    # one of the course's networks, trained first by its own recipe on the same images, whose answers are learnt too
    teacher: Annotated[str, AfterValidator(course_network)] | None = None
    # epochs in which the first block learns, the second, and so on; without a number: in all (Freezing)
    learning_epochs: tuple[Annotated[int, Field(ge=0, lt=EPOCH_BUDGET)], ...] = ()
    augmentation_end: float = Field(1, ge=0, le=1)  # share of it left in the last epoch; shrinks evenly (Calming)
    # decay of the moving average of the weights, which is then what counts as the network; 0: none (Averaging)
    averaging: float = Field(0, ge=0, lt=1)
    # numbers that convolutions and dense layers compute in while training; bfloat16 is faster on a GPU or a CPU with
    # AMX, and slower on any other (InBfloat16)
    precision: Literal["float32", "bfloat16"] = "float32"


class Freezing(Hook):
    """Lets blocks stop learning in turn, without gradients (Brock et al. 2017, https://arxiv.org/abs/1706.04983)."""

    def __init__(self, learning_epochs: tuple[int, ...]) -> None:
        self._last = learning_epochs

    def before_epoch(self, network: nn.Module, epoch: int, settings: Settings) -> Settings:
        for block, last in zip_longest(network.children(), self._last, fillvalue=settings.epochs):
            block.requires_grad_(epoch <= last)
        return settings


class Calming(Hook):
    """Varies images less from epoch to epoch."""

    def __init__(self, augmentation_end: float) -> None:
        self._end = augmentation_end

    def before_epoch(self, network: nn.Module, epoch: int, settings: Settings) -> Settings:
        if settings.augmentation is None or settings.epochs == 1:
            return settings
        passed = (epoch - 1) / (settings.epochs - 1)
        calmer = settings.augmentation.scaled(1 + passed * (self._end - 1))
        return settings.model_copy(update={"augmentation": calmer})


class Averaging(Hook):
    """Keeps the moving average of the weights, BatchNorm's statistics included, as the network."""

    def __init__(self, decay: float) -> None:
        self._average = get_ema_multi_avg_fn(decay)

    def before_training(self, network: nn.Module, images: Images, settings: Settings, show: bool) -> None:
        self._averaged = AveragedModel(network, multi_avg_fn=self._average, use_buffers=True)

    def after_step(self, network: nn.Module) -> None:
        self._averaged.update_parameters(network)

    def kept(self, network: nn.Module) -> nn.Module:
        return self._averaged.module

    def state_dict(self) -> dict[str, Any]:
        return self._averaged.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._averaged.load_state_dict(state)


class EachAlone(Hook):
    """Has every member of `Views` learn the labels as if it were alone.

    A loss of their average would let one leave to another what that one knows, and they would lean on each other
    where they should differ.
    """

    def before_epoch(self, network: nn.Module, epoch: int, settings: Settings) -> Settings:
        self._smoothing = settings.label_smoothing
        return settings

    def loss(self, loss_of: LossOf) -> LossOf:
        """Return the members' mean loss, and their common answer."""

        def alone(network: Views, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            logits = [one.float() for one in network.each(inputs)]
            losses = [F.cross_entropy(one, targets, label_smoothing=self._smoothing) for one in logits]
            return torch.stack(losses).mean(), together(logits)

        return alone


class InBfloat16(Hook):
    """Has convolutions and dense layers compute in bfloat16, whatever the other hooks make of the loss.

    bfloat16 is float32 with a mantissa of 8 bits in place of 24: half the memory, and a fraction of the time where a
    machine is made for it. Weights, their gradients, the loss and the optimizer's state stay float32 (Micikevicius et
    al. 2018, https://arxiv.org/abs/1710.03740); with float32's range, nothing needs to be scaled.
    """

    def loss(self, loss_of: LossOf) -> LossOf:
        def halved(network: nn.Module, inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
            with torch.autocast(targets.device.type, dtype=torch.bfloat16):
                loss, logits = loss_of(network, inputs, targets)
            return loss, logits.float()

        return halved


def multiplies_bfloat16_fast(device: torch.device) -> bool:
    """Say whether a device has units for it, AMX or tensor cores; other CPUs are slower in it than in float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.cpu.get_capabilities().get("amx_bf16", False)
