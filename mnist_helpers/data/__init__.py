"""Images: MNIST verified on disk, in memory as tensors, split, and an epoch's batches of them, varied anew.

The ground floor: uses no other room.
"""

from .archives import DataError
from .augmentation import MEAN, STD, Draws, augment, draw, erase, move, normalise, recolour, sampling_grid
from .images import CLASSES, Images, Split, epoch_batches
from .mnist import load_mnist, load_split, load_training_images, split_indices
from .ranges import Augmentation, Chosen
from .writers import FOLD_SIZES, load_writers
