"""The network everybody starts with."""

from torch import Tensor, nn

from mnist_helpers.data import CLASSES


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
