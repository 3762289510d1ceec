"""The plain version, to compare with: torchvision transforms image by image in a DataLoader, plain layers."""

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from mnist_helpers.config import Augmentation, RunConfig
from mnist_helpers.data import MEAN, STD, Images


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
def evaluate_with_loader(model: nn.Module, loader: DataLoader) -> float:
    """Return the accuracy of `model` on the images of a loader."""
    model.eval()
    correct = sum((model(inputs).argmax(1) == targets).sum().item() for inputs, targets in loader)
    return correct / len(loader.dataset)
