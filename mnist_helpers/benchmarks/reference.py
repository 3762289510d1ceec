"""What ours is compared with: torchvision image by image in a DataLoader, and the fastest public training found."""

import math

import torch
from PIL import Image
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from mnist_helpers.data import CLASSES, MEAN, STD, Augmentation, Images
from mnist_helpers.runs import RunConfig
from mnist_helpers.training import train_step

PEER_BATCH, PEER_LR = 256, 0.01


class DigitDataset(Dataset):
    """Digits as torchvision's MNIST gives them: a PIL image through `transform`, and its label."""

    def __init__(self, images: Images, transform: transforms.Compose) -> None:
        self.images, self.transform = images, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one transformed image (1, 28, 28) float32 and its label."""
        image = Image.fromarray(self.images.pixels[index].numpy())
        return self.transform(image), int(self.images.targets[index])


def reference_transform(augmentation: Augmentation | None, on_tensors: bool = True) -> transforms.Compose:
    """Return the torchvision transforms that `augment` must equal in distribution.

    On tensors they are what `augment` computes, image by image; on PIL images they round to 8 bits at every step.
    """
    to_tensor, normalise = transforms.ToTensor(), transforms.Normalize((MEAN,), (STD,))
    if augmentation is None:
        return transforms.Compose([to_tensor, normalise])
    a = augmentation
    bilinear = transforms.InterpolationMode.BILINEAR
    vary = [
        transforms.RandomAffine(a.degrees, (a.translate,) * 2, a.scale, a.shear, interpolation=bilinear),
        transforms.ColorJitter(brightness=a.brightness, contrast=a.contrast),
    ]
    erase = transforms.RandomErasing(a.erasing_p, a.erasing_area, a.erasing_ratio)
    return transforms.Compose([*([to_tensor, *vary] if on_tensors else [*vary, to_tensor]), normalise, erase])


def reference_loader(images: Images, config: RunConfig, training: bool, on_tensors: bool = True) -> DataLoader:
    """Return a DataLoader of the reference: shuffled and augmented for training, plain for evaluation."""
    transform = reference_transform(config.augmentation if training else None, on_tensors)
    return DataLoader(DigitDataset(images, transform), config.batch_size, shuffle=training)


@torch.inference_mode()
def evaluate_with_loader(network: nn.Module, loader: DataLoader) -> float:
    """Return the accuracy of `network` on the images of a loader."""
    network.eval()
    correct = sum((network(inputs).argmax(1) == targets).sum().item() for inputs, targets in loader)
    return correct / len(loader.dataset)


class TrainMnistFastNet(nn.Sequential):
    """Two convolutions, each pooled before its ReLU, and two dense layers: 215,194 parameters."""

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(1, 24, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(24, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(800, 256), nn.ReLU(), nn.Linear(256, CLASSES),
        )  # fmt: skip


def train_mnist_fast(inputs: Tensor, targets: Tensor, seed: int) -> nn.Module:
    """Train its network for its one epoch, on normalised inputs (N, 1, 28, 28) and targets (N,) in memory.

    Written anew from https://github.com/tuomaso/train_mnist_fast (`8_Final_00s76.ipynb`): the images in their own
    order, without augmentation, to 99.04 % (its mean of 30 seeds).
    """
    torch.manual_seed(seed)
    network = TrainMnistFastNet().to(inputs.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=PEER_LR, betas=(0.7, 0.9))
    steps = math.ceil(len(targets) / PEER_BATCH)
    schedule = OneCycleLR(optimizer, max_lr=PEER_LR, total_steps=steps, cycle_momentum=False)
    for batch in zip(inputs.split(PEER_BATCH), targets.split(PEER_BATCH), strict=True):
        train_step(network, *batch, optimizer)
        schedule.step()
    return network
