"""The networks by name. Every layer is a plain `torch.nn` module, written in the order it is applied."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from mnist_helpers.compact import CLASSES
from mnist_helpers.sizes import COMPACT


def conv_relu(in_channels: int, out_channels: int, batchnorm: bool = True) -> list[nn.Module]:
    """3×3 convolution that keeps the image size, BatchNorm, ReLU.

    A convolution before BatchNorm has no bias: BatchNorm's shift replaces it.
    """
    return [
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=not batchnorm),
        *([nn.BatchNorm2d(out_channels)] if batchnorm else []),
        nn.ReLU(inplace=True),
    ]


def he_initialise(layer: nn.Module) -> None:
    """Draw a convolution's weights with variance 2 / fan-in, so that ReLUs keep the signal's size; biases are 0.

    He et al. 2015, https://arxiv.org/abs/1502.01852. torch's default, a sixth of that, needs BatchNorm to make up for
    it: without either, seven layers pass on a hundredth of the signal, and nothing is learnt.
    """
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)


class BaselineNet(nn.Module):
    """The network of pytorch/examples' `mnist/main.py`: 1,199,882 parameters, nearly all in its first dense layer.

    `forward` maps (N, 1, 28, 28) float32 to logits (N, 10) float32; the original ends in a log-softmax, which the
    loss does here.
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


class FinalNet(nn.Module):
    """The course's final network: five blocks, 18,982 parameters, no dense layer.

    `forward` maps (N, 1, 28, 28) float32 to logits (N, 10) float32.

    Args:
        batchnorm: False leaves BatchNorm out, and gives the convolutions a bias and He initialisation instead.
        dropout: the rates at the end of the input and of the transition block.
    """

    def __init__(self, batchnorm: bool = True, dropout: tuple[float, float] = (0.05, 0.1)) -> None:
        super().__init__()
        conv = partial(conv_relu, batchnorm=batchnorm)
        # 28×28: two convolutions learn strokes and edges
        self.input_block = nn.Sequential(*conv(1, 12), *conv(12, 16), nn.Dropout(dropout[0]))
        self.first_block = nn.Sequential(*conv(16, 20), nn.MaxPool2d(2))
        # 14×14: parts of digits
        self.transition_block = nn.Sequential(*conv(20, 24), nn.Dropout(dropout[1]))
        self.second_block = nn.Sequential(*conv(24, 24), nn.MaxPool2d(2))
        # 7×7: one map per class, averaged (Lin et al. 2014, https://arxiv.org/abs/1312.4400)
        self.output_block = nn.Sequential(
            *conv(24, 20),
            nn.Conv2d(20, CLASSES, kernel_size=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        if not batchnorm:
            self.apply(he_initialise)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (N, 10) of normalised images (N, 1, 28, 28)."""
        features = self.first_block(self.input_block(inputs))
        features = self.second_block(self.transition_block(features))
        return self.output_block(features)


class FastNet(nn.Module):
    """Notebook 09's network: 19,354 parameters, strided at once, so that little is done at full size.

    `forward` maps (N, 1, 28, 28) float32 to logits (N, 10) float32.
    """

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

    Raises:
        KeyError: no network of that name; `MODELS` lists them.
    """
    return MODELS[name]()


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
