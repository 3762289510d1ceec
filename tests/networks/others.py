"""Networks as public MNIST projects write them, each habit once, with and without the course's rules; small."""

import torch
import torch.nn.functional as F
from torch import nn


class Functional(nn.Module):
    """Layers with weights are modules, all else is functions: the habit of pytorch/examples."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3)
        self.conv2 = nn.Conv2d(8, 12, 3)
        self.fc = nn.Linear(12 * 5 * 5, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        x = F.dropout(torch.flatten(x, 1), 0.25, training=self.training)
        return F.log_softmax(self.fc(x), dim=1)


class ViewTen(nn.Module):
    """Average pooling of its last size, then `view`."""

    def __init__(self):
        super().__init__()
        self.convblock1 = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.ReLU(), nn.BatchNorm2d(8), nn.Dropout(0.05)
        )
        self.pool = nn.MaxPool2d(2, 2)
        self.convblock2 = nn.Sequential(nn.Conv2d(8, 10, 3, padding=1, bias=False), nn.BatchNorm2d(10), nn.ReLU())
        self.gap = nn.Sequential(nn.AvgPool2d(kernel_size=7))

    def forward(self, x):
        x = self.pool(self.convblock1(x))
        x = self.gap(self.pool(self.convblock2(x)))
        return F.log_softmax(x.view(-1, 10), dim=-1)


class ReluFirst(nn.Module):
    """ReLU before BatchNorm, dropout on whole channels, the pooling's size asked of the map."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, stride=2)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 10, 3, dilation=2)

    def forward(self, x):
        x = F.dropout2d(self.bn1(F.relu(self.conv1(x))), 0.1, self.training)
        x = self.conv2(x)
        return F.avg_pool2d(x, kernel_size=x.size()[2:]).squeeze(-1).squeeze(-1)


class NormOptions(nn.Module):
    """BatchNorm without weights, with a plain average of statistics, and without any statistics."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, stride=2), nn.BatchNorm2d(6, affine=False), nn.ReLU(),
            nn.Conv2d(6, 10, 3), nn.BatchNorm2d(10, momentum=None), nn.ReLU(inplace=True),
            nn.AdaptiveMaxPool2d(1), nn.BatchNorm2d(10, track_running_stats=False), nn.ReLU(),
        )  # fmt: skip
        self.last = nn.Linear(10, 10)

    def forward(self, x):
        return self.last(self.features(x)[:, :, 0, 0])


class UsedTwice(nn.Module):
    """One convolution and one activation in several places."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 4, stride=4)
        self.conv = nn.Conv2d(6, 6, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.fc = nn.Linear(6 * 7 * 7, 10)

    def forward(self, x):
        x = self.act(self.stem(x))
        for _ in range(2):
            x = self.act(self.conv(x))
        return self.fc(x.view(x.size(0), -1))


class BareParameters(nn.Module):
    """No layers at all: weights, and functions of them."""

    def __init__(self):
        super().__init__()
        self.kernels = nn.Parameter(torch.randn(8, 1, 5, 5) / 5)
        self.scale = nn.Parameter(torch.ones(8, 1, 1))
        self.weights = nn.Parameter(torch.randn(8 * 6 * 6, 10) / 17)
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, x):
        x = F.conv2d(x, self.kernels) * self.scale
        x = torch.relu(F.batch_norm(x, None, None, training=True))
        return F.max_pool2d(x, 4).flatten(1) @ self.weights + self.bias


class Lazy(nn.Module):
    """Layers that learn how many channels come in from the first images; attached, but never asked: `spare`."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.LazyConv2d(6, 3, stride=3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten())
        self.head = nn.LazyLinear(10)
        self.spare = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.body(x))


class OneByOne(nn.Module):
    """Parts of a Sequential called one by one, a skip connection, a concatenation, and a mean over places."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.wide, self.narrow = nn.Conv2d(8, 4, 5, padding=2), nn.Conv2d(8, 4, 1)
        self.last = nn.Conv2d(8, 10, 3)

    def forward(self, x):
        x = self.stem[2](self.stem[1](self.stem[0](x)))
        x = F.relu(x + self.conv(x))
        x = torch.cat([self.narrow(x), self.wide(x)], dim=1)
        x = torch.cat([self.wide(x), self.narrow(x)], dim=1).relu_()
        return self.last(x).mean([2, 3])


class Dense(nn.Module):
    """No convolution; dropout that is only there while it is trained; too large for the course."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(784, 32), nn.Linear(32, 10)])

    def forward(self, x):
        x = F.gelu(self.layers[0](x.view(-1, 28 * 28)))
        if self.training:
            x = F.dropout(x, 0.2)
        return self.layers[1](x)


class Gate(nn.Module):
    """Squeeze-and-excite with functions."""

    def __init__(self, channels):
        super().__init__()
        self.down, self.up = nn.Linear(channels, 4), nn.Linear(4, channels)

    def forward(self, x):
        weights = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return x * torch.sigmoid(self.up(F.relu(self.down(weights)))).view(*weights.shape, 1, 1)


class Separable(nn.Module):
    """Depthwise and pointwise convolutions, windows that are not square, channels weighed by a gate."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 8, (1, 3), stride=2)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.pointwise = nn.Conv2d(8, 12, 1, bias=False)
        self.norm, self.gate = nn.BatchNorm2d(12), Gate(12)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Conv2d(12, 10, 3)

    def forward(self, x):
        x = self.gate(F.relu6(self.norm(self.pointwise(self.depthwise(F.relu(self.stem(x)))))))
        return torch.mean(self.fc(self.drop(x)).flatten(2), dim=-1)


class TwoAnswers(Functional):
    """Not to be trained here: the features come with the logits."""

    def forward(self, x):
        logits = super().forward(x)
        return logits, x


class PairsOfFive(Functional):
    """Not to be trained here: ten numbers, but not one a class in a row."""

    def forward(self, x):
        return super().forward(x).view(-1, 2, 5)
