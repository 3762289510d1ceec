"""One run: the plain loop and its settings, what it measures and leaves, and where hooks may join it.

Uses `networks` and `data`.
"""

from .checkpoints import FOLDER as CHECKPOINTS
from .checkpoints import KEEP, CheckpointError, load_checkpoint
from .circumstances import DECIDING, Environment, describe_environment, source_hash
from .evaluation import accuracy_interval, evaluate, find_mistakes, metrics, predict_logits
from .hooks import Hook, LossOf, Step
from .interruption import Interrupted, stopping
from .loop import TrainingDiverged, cross_entropy, fit, train, train_step
from .muon import Muon, orthogonal
from .optimizing import make_optimizer, make_schedule
from .ownership import FolderInUseError
from .progress import Bar
from .results import (
    EPOCH_HEADER,
    EpochRecord,
    Results,
    format_epoch,
    format_results,
)
from .runtime import in_float32, keep_freed_memory, seed_epoch
from .settings import EPOCH_BUDGET, OWN_FOLDER, PLACES, TRAINING_IMAGES, Settings
from .state import NetworkError, start
