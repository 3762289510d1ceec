"""Images: MNIST verified on disk, in memory as tensors, split, and an epoch's batches of them, varied anew.

The ground floor: uses no other room.
"""

from mnist_helpers.data.archives import DataError
from mnist_helpers.data.augmentation import (
    MEAN,
    STD,
    Draws,
    augment,
    draw,
    erase,
    move,
    normalise,
    recolour,
    sampling_grid,
)
from mnist_helpers.data.images import CLASSES, Images, Split, epoch_batches
from mnist_helpers.data.mnist import load_mnist, load_split, split_indices
from mnist_helpers.data.ranges import Augmentation
from mnist_helpers.data.writers import FOLD_SIZES, load_writers
