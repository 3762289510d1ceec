"""The networks by name. Every layer is a plain `torch.nn` module, written in the order it is applied."""

from collections.abc import Callable

from torch import Tensor, nn

CLASSES = 10


def conv_bn_relu(in_channels: int, out_channels: int) -> list[nn.Module]:
    """3×3 convolution that keeps the image size, without bias (BatchNorm's shift replaces it), BatchNorm, ReLU."""
    return [
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    ]


class FinalNet(nn.Module):
    """The course's final network: five blocks, 18,982 parameters, no dense layer.

    `forward` maps (N, 1, 28, 28) float32 to logits (N, 10) float32.
    """

    def __init__(self) -> None:
        super().__init__()
        # 28×28: two convolutions learn strokes and edges
        self.input_block = nn.Sequential(*conv_bn_relu(1, 12), *conv_bn_relu(12, 16), nn.Dropout(0.05))
        self.first_block = nn.Sequential(*conv_bn_relu(16, 20), nn.MaxPool2d(2))
        # 14×14: parts of digits
        self.transition_block = nn.Sequential(*conv_bn_relu(20, 24), nn.Dropout(0.1))
        self.second_block = nn.Sequential(*conv_bn_relu(24, 24), nn.MaxPool2d(2))
        # 7×7: one map per class, averaged (Lin et al. 2014, https://arxiv.org/abs/1312.4400)
        self.output_block = nn.Sequential(
            *conv_bn_relu(24, 20),
            nn.Conv2d(20, CLASSES, kernel_size=1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits (N, 10) of normalised images (N, 1, 28, 28)."""
        features = self.first_block(self.input_block(inputs))
        features = self.second_block(self.transition_block(features))
        return self.output_block(features)


MODELS: dict[str, Callable[[], nn.Module]] = {"final": FinalNet}


def build_model(name: str) -> nn.Module:
    """Return a freshly initialised network; its weights follow torch's global seed.

    Raises:
        KeyError: no network of that name; `MODELS` lists them.
    """
    return MODELS[name]()


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
