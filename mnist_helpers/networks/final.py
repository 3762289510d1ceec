"""The course's final network, its blocks in the order they are applied, and what is left of it without BatchNorm."""

from functools import partial

from torch import Tensor, nn

from mnist_helpers.data import CLASSES


def conv_relu(in_channels: int, out_channels: int, batchnorm: bool = True) -> list[nn.Module]:
    """3×3 convolution that keeps the image size, BatchNorm, whose shift replaces the convolution's bias, and ReLU."""
    return [
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=not batchnorm),
        *([nn.BatchNorm2d(out_channels)] if batchnorm else []),
        nn.ReLU(inplace=True),
    ]


def he_initialise(layer: nn.Module) -> None:
    """Draw a convolution's weights with variance 2 / fan-in, so that ReLUs keep the signal's size; biases are 0.

    He et al. 2015, https://arxiv.org/abs/1502.01852. torch's default, a sixth of that, needs BatchNorm.
    """
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)


class FinalNet(nn.Module):
    """The course's final network: five blocks, 18,982 parameters, no dense layer.

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
