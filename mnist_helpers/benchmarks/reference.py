"""An epoch of the final network: torchvision image by image, the reference, and what each gain in speed is worth."""

from collections.abc import Iterator
from functools import partial
from itertools import chain, count, cycle, islice

import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from mnist_helpers.benchmarks.measure import Measured, Taken, timed
from mnist_helpers.data import MEAN, STD, Augmentation, Images, Split, epoch_batches
from mnist_helpers.looking import BLUE, GREY, panels
from mnist_helpers.networks import build_model, fast_form
from mnist_helpers.runs import RunConfig
from mnist_helpers.training import evaluate, keep_freed_memory, make_optimizer, seed_epoch, train_step

REFERENCE = "torchvision on tensors, DataLoader"
PIL = "torchvision on PIL images, DataLoader"
BATCHED = "batched augmentation"
LAYOUT = "+ channels last"
LAYERS = "+ fast BatchNorm and dropout"
MEMORY = "+ freed memory kept"
VERSIONS = (REFERENCE, PIL, BATCHED, LAYOUT, LAYERS, MEMORY)
WARM_UP = 5  # batches


class DigitDataset(Dataset):
    """Digits as torchvision's MNIST gives them: a PIL image through `transform`, (1, 28, 28) float32, and a label."""

    def __init__(self, images: Images, transform: transforms.Compose) -> None:
        self.images, self.transform = images, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
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
def evaluate_with_loader(network: nn.Module, images: Images, config: RunConfig) -> float:
    """Return the accuracy of `network` on images that the reference's DataLoader gives."""
    network.eval()
    batches = reference_loader(images, config, training=False)
    return sum((network(inputs).argmax(1) == targets).sum().item() for inputs, targets in batches) / len(images)


def epoch_seconds(version: str, config: RunConfig, split: Split, batches: int) -> float:
    """Return the seconds of one epoch, evaluation on validation and test images included."""
    network, training = train_some(version, config, split.train, batches)
    measure = partial(evaluate_with_loader, config=config) if version in (REFERENCE, PIL) else evaluate
    return training + timed(lambda: [measure(network, images) for images in (split.validation, split.test)])[0]


def train_some(version: str, config: RunConfig, images: Images, batches: int) -> tuple[nn.Module, float]:
    """Train on `batches` batches after a warm-up; return the network and the seconds that an epoch of such takes."""
    seed_epoch(config.seed, 0)
    network = build_model(config.model)
    if version == LAYOUT:
        network = network.to(memory_format=torch.channels_last)
    if version in (LAYERS, MEMORY):
        network = fast_form(network)
    if version == MEMORY:
        keep_freed_memory()
    optimizer = make_optimizer(network, config)
    if version in (REFERENCE, PIL):
        inputs = cycle(reference_loader(images, config, training=True, on_tensors=version == REFERENCE))
    else:
        inputs = chain.from_iterable(epoch_batches(images, config.batch_size, config.augmentation) for _ in count())
    for batch in islice(inputs, WARM_UP):
        train_step(network, *batch, optimizer)
    seconds, _ = timed(lambda: [train_step(network, *batch, optimizer) for batch in islice(inputs, batches)])
    return network, seconds / batches * len(images) / config.batch_size


def measure_epochs(batches: int, repeat: int) -> Iterator[Taken]:
    """Time an epoch of every version; the one that keeps freed memory, which cannot be undone, comes last."""
    config = RunConfig(device="cpu", seed=repeat)
    split = config.split()
    for version in VERSIONS:
        yield Taken(version, epoch_seconds(version, config, split, batches))


def plot_epochs(measured: dict[str, Measured]) -> Figure:
    """Draw the median seconds of each version as bars, with the ratio to the reference on each."""
    figure, axis = panels(3.2)
    medians = [measured[version].median_seconds for version in VERSIONS]
    bars = axis.barh(VERSIONS, medians, color=[GREY, GREY, *[BLUE] * (len(medians) - 2)])
    axis.bar_label(bars, [f" {measured[version].ratios[REFERENCE]:.2f}×" for version in VERSIONS])
    axis.invert_yaxis()
    axis.set(title="One epoch, training and evaluation, on a CPU", xlabel="seconds (median)")
    axis.margins(x=0.1)
    return figure
