"""A network's name brings its settings; what is chosen comes before them."""

import pytest

from mnist_helpers.networks.names import MODELS
from mnist_helpers.runs.checks import ConfigError
from mnist_helpers.runs.config import RunConfig, make_config
from mnist_helpers.runs.recipes import RECIPES, with_recipe


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_belongs_to_a_network_and_is_allowed(name):
    assert name in MODELS
    config = make_config(model=name)
    for field, value in RECIPES[name].items():
        found = getattr(config, field)
        assert (found.model_dump(include=set(value)) if isinstance(value, dict) else found) == value


def test_what_is_chosen_wins_and_none_chooses_nothing():
    recipe = make_config(model="fast")
    assert make_config(model="fast", epochs=7, batch_size=None).model_dump() == {
        **recipe.model_dump(),
        "epochs": 7,
    }
    assert make_config(model="fast", augmentation=None).augmentation is None
    assert make_config(model="fast", learning_epochs=()).learning_epochs == ()


def test_networks_without_a_recipe_have_the_final_ones():
    assert with_recipe({"seed": 3}) == {"seed": 3}
    assert make_config(model="baseline", epochs=None).training_differences(RunConfig(model="baseline")) == []


def test_a_value_that_is_not_allowed_is_refused_beside_a_recipe():
    with pytest.raises(ConfigError, match=r"epochs=0 is not allowed; allowed: a whole number ≥ 1 and < 20"):
        make_config(model="fast", epochs=0)
