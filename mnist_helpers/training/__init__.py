"""One run: the plain loop and its settings, what it measures and leaves, and where hooks may join it.

Uses `networks` and `data`.
"""

from mnist_helpers.training.checkpoints import CheckpointError
from mnist_helpers.training.evaluation import (
    accuracy_interval,
    evaluate,
    find_mistakes,
    metrics,
    predict_logits,
)
from mnist_helpers.training.hooks import Hook, LossOf
from mnist_helpers.training.loop import TrainingDiverged, cross_entropy, fit, train, train_step
from mnist_helpers.training.optim import make_optimizer, make_schedule
from mnist_helpers.training.progress import Bar
from mnist_helpers.training.results import (
    EPOCH_HEADER,
    Environment,
    EpochRecord,
    Results,
    describe_environment,
    format_epoch,
    format_results,
)
from mnist_helpers.training.runtime import in_float32, keep_freed_memory, seed_epoch
from mnist_helpers.training.settings import (
    EPOCH_BUDGET,
    OWN_FOLDER,
    PLACES,
    TRAINING_IMAGES,
    Settings,
)
from mnist_helpers.training.state import NetworkError, start
