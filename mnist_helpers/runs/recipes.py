"""What a network is trained with unless told otherwise: the settings that go with its name."""

from collections.abc import Mapping
from typing import Any

from mnist_helpers.networks import COMPACT as COMPACT_NETWORKS
from mnist_helpers.networks import LOOPED

GENTLE = {"degrees": 7, "translate": 0.05, "scale": (0.9, 1.1), "shear": 3}
MODERATE = {"degrees": 10, "translate": 0.08, "scale": (0.85, 1.15), "shear": 6}
NO_COLOUR_NO_BLANKING = {"brightness": 0, "contrast": 0, "erasing_p": 0}
SLIGHT = {"degrees": 5, "translate": 0.04, "scale": (0.93, 1.07), "shear": 2} | NO_COLOUR_NO_BLANKING
MODERATELY = MODERATE | NO_COLOUR_NO_BLANKING
COMPACT_AUGMENTATION = GENTLE | NO_COLOUR_NO_BLANKING
FAST = {
    "epochs": 3,
    "batch_size": 192,
    "max_lr": 0.5,
    "pct_start": 0.2,
    "final_div_factor": 40,
    "base_momentum": 0.9,
    "max_momentum": 0.9,
    "label_smoothing": 0.05,
    "whitened": True,
    "learning_epochs": (1, 2),
    "augmentation": COMPACT_AUGMENTATION,
}
# one epoch, for 99 %
SPRINT = FAST | {"epochs": 1, "batch_size": 128, "learning_epochs": (0,), "augmentation": SLIGHT}
# notebook 13's: the fast recipe's, calmer and to the last epoch allowed
COMPACT = FAST | {"epochs": 19, "batch_size": 128, "max_lr": 0.3, "learning_epochs": (), "augmentation_end": 0.3}

# a network without an entry has the defaults of `RunConfig`, the final network's
RECIPES: dict[str, dict[str, Any]] = {
    "fast": FAST,
    "fast_strided": FAST,
    "sprint": SPRINT,
    **dict.fromkeys(COMPACT_NETWORKS, COMPACT),
    **dict.fromkeys(LOOPED, COMPACT | {"whitened": False}),  # its first filters are set
    **dict.fromkeys(("compact_19546", "best", "looped_views"), COMPACT | {"augmentation": MODERATELY}),
    "teacher": COMPACT | {"epochs": 3},
}

# parameters for which None says something; for any other it means that nothing was chosen
MAY_BE_NONE = {"augmentation", "train_size", "fold"}
VIEWS = {"best", "looped_views"}  # networks whose members learn each by itself (`hooks.EachAlone`)


def with_recipe(parameters: Mapping[str, Any], recipe: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return `parameters` with what was not chosen as `recipe` says, or else the one of `parameters["model"]`."""
    chosen = {name: value for name, value in parameters.items() if value is not None or name in MAY_BE_NONE}
    return {**(RECIPES.get(chosen.get("model", ""), {}) if recipe is None else recipe), **chosen}
