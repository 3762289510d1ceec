"""The course's networks by name; the one everybody starts with and notebook 09's are written here."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from mnist_helpers.data import CLASSES
from mnist_helpers.networks.final import FinalNet
from mnist_helpers.networks.sizes import COMPACT

PARAMETER_BUDGET = 20_000


class BaselineNet(nn.Module):
    """The network of pytorch/examples' `mnist/main.py`: 1,199,882 parameters, nearly all in its first dense layer.

    The original ends in a log-softmax, which the loss does here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, CLASSES)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (N, 10) of normalised images (N, 1, 28, 28)."""
        return self.classifier(self.features(inputs))


class FastNet(nn.Module):
    """Notebook 09's network: 19,354 parameters, strided at once, so that little is done at full size."""

    def __init__(self) -> None:
        super().__init__()
        # 28×28 to 14×14 in overlapping patches; without BatchNorm, since its filters start whitened
        self.stem = nn.Sequential(nn.Conv2d(1, 16, kernel_size=4, stride=2, padding=1), nn.ReLU(inplace=True))
        # pooling first leaves BatchNorm and ReLU a quarter of the work
        self.first_block = nn.Sequential(
            nn.Conv2d(16, 32, kernel_size=3, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU(inplace=True)
        )
        self.second_block = nn.Sequential(
            nn.Conv2d(32, 32, kernel_size=3, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True)
        )
        # 4×4: where a stroke lies tells digits apart, which an average over all places forgets
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(32 * 4 * 4, CLASSES))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (N, 10) of normalised images (N, 1, 28, 28)."""
        return self.classifier(self.second_block(self.first_block(self.stem(inputs))))


MODELS: dict[str, Callable[[], nn.Module]] = {
    "final": FinalNet,
    "baseline": BaselineNet,
    "skeleton": partial(FinalNet, batchnorm=False, dropout=(0, 0)),
    "batchnorm": partial(FinalNet, dropout=(0, 0)),
    "fast": FastNet,
    "sprint": FastNet,
    **COMPACT,
}


def build_model(name: str) -> nn.Module:
    """Return a freshly initialised network; its weights follow torch's global seed.

    Raises KeyError: no network of that name; `MODELS` lists them.
    """
    return MODELS[name]()


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters, each once, those that do not learn included."""
    return sum(parameter.numel() for parameter in network.parameters())
