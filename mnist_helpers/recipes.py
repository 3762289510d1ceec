"""What a network is trained with unless told otherwise: the settings that go with its name."""

from collections.abc import Mapping
from typing import Any

# a network without an entry has the defaults of `RunConfig`, the final network's
RECIPES: dict[str, dict[str, Any]] = {}

MAY_BE_NONE = {"augmentation", "train_size", "first_layer_epochs"}
"""Parameters for which None says something; for any other it means that nothing was chosen."""


def with_recipe(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return `parameters` with everything that was not chosen as the recipe of `parameters["model"]` says."""
    chosen = {name: value for name, value in parameters.items() if value is not None or name in MAY_BE_NONE}
    return RECIPES.get(chosen.get("model", ""), {}) | chosen
