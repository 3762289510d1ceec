"""One run as a whole: which network, with which recipe and hooks; checked before any work starts."""

import ast
import sys
from collections.abc import Sequence
from functools import cache, partial
from typing import Annotated, Any, Self

import torch
from pydantic import AfterValidator, Field, ValidationError
from torch import nn

from mnist_helpers.data import Images
from mnist_helpers.networks import build_model, fast_form
from mnist_helpers.runs.checks import (
    ConfigError,
    check_device,
    check_images,
    check_network,
    check_pairs,
    explain,
    shapes_of,
)
from mnist_helpers.runs.distillation import Taught
from mnist_helpers.runs.hooks import Averaging, Calming, EachAlone, Freezing, HookSettings, InBfloat16
from mnist_helpers.runs.own import is_own, known_network, load_own, portable_name, source_hash
from mnist_helpers.runs.places import check_output
from mnist_helpers.runs.recipes import VIEWS, with_recipe
from mnist_helpers.runs.replaying import Replaying
from mnist_helpers.runs.whitening import Whitening
from mnist_helpers.training import Hook, Settings, fit, seed_epoch

PAPERMILL_HEADER = "# Parameters\n"


class RunConfig(HookSettings, Settings):
    """Everything that decides a run: a network by name, the numbers of the plain run, and those of its hooks."""

    model: Annotated[str, AfterValidator(known_network)] = "final"  # or `path/to/file.py:ClassName`
    source: str | None = Field(None, pattern="^[0-9a-f]{16}$")  # hash of that file; None for the course's networks

    def hooks(self) -> tuple[Hook, ...]:
        """Return the hooks that these settings switch on, in the order in which they take part."""
        found = (
            (self.whitened, Whitening),
            (self.model in VIEWS, EachAlone),
            (self.teacher is not None, lambda: Taught(self._train_teacher)),
            (self.learning_epochs, lambda: Freezing(self.learning_epochs)),
            (self.augmentation_end != 1, lambda: Calming(self.augmentation_end)),
            (self.averaging, lambda: Averaging(self.averaging)),
            (self.precision == "bfloat16", InBfloat16),
            # around all the others; what a network of one's own does may not be recorded
            (self.torch_device().type == "cuda" and not is_own(self.model), Replaying),
        )
        return tuple(make() for switched_on, make in found if switched_on)

    def build(self) -> nn.Module:
        """Return the network that is trained: on its device, with its first weights, which the seed decides.

        The one place where fast layers are chosen: for the course's networks, on a CPU. A network of one's own stays
        as it was written. Raises ConfigError: its file is gone, or is no longer the one that was checked.
        """
        if is_own(self.model):
            return self._make_own()
        seed_epoch(self.seed, 0)
        device = self.torch_device()
        # in float32 a GPU takes several times as long for the gradients of small filters in channels last
        plain = device.type == "cuda" and self.precision == "float32"
        order = torch.contiguous_format if plain else torch.channels_last
        network = build_model(self.model).to(device, memory_format=order)
        return fast_form(network) if device.type == "cpu" else network

    def _make_own(self) -> nn.Module:
        try:
            now, make = source_hash(self.model), load_own(self.model)[0]
        except ValueError as error:
            raise ConfigError(f"model={self.model!r} is not allowed: {error}") from None
        if self.source not in (None, now):
            raise ConfigError(f"{self.model} is no longer the file that this run was planned with; plan it again")
        seed_epoch(self.seed, 0)
        return make().to(self.torch_device())

    def _train_teacher(self, images: Images, show: bool) -> nn.Module:
        own = make_config(model=self.teacher, seed=self.seed, device=self.device, output_dir=self.output_dir)
        return fit(own.build, images, own, show)

    def but(self, **changes: Any) -> Self:
        """Return these settings with some changed, checked as by `make_config`, ConfigError included."""
        if "model" in changes:  # another network is another file, or none
            changes["source"] = make_config(model=changes["model"]).source
        return _checked({**{name: getattr(self, name) for name in type(self).model_fields}, **changes})


# what a run can be told, by name; what a network's file is, it finds out itself
PARAMETERS = {name: field for name, field in RunConfig.model_fields.items() if name != "source"}


def make_config(**parameters: Any) -> RunConfig:
    """Return the configuration of a run on this machine, checked; creates `output_dir` when it is not there.

    What is not given is as the network's recipe says (`recipes.py`, or the file of a network of one's own), and what
    that does not say as the course's final network has it. Raises ConfigError: one line for each parameter that is
    unknown or not allowed.
    """
    model, recipe = parameters.get("model"), None
    model = "final" if model is None else model
    if not isinstance(model, str):
        raise ConfigError(f"model={model!r} is not allowed; allowed: a name; a class itself goes to train()")
    if "source" in parameters:
        raise ConfigError(f"source is not a parameter; allowed: {', '.join(PARAMETERS)}")
    # None chooses nothing, but a name that does not exist is said whatever its value
    unknown = {name: value for name, value in parameters.items() if name not in PARAMETERS}
    chosen = {**parameters, "model": model}
    try:
        if is_own(known_network(model)):
            chosen["model"], source = portable_name(model), source_hash(model)
            recipe = load_own(model)[1]
    except ValueError as error:
        raise ConfigError(f"model={model!r} is not allowed; {error}") from None
    complete = with_recipe(chosen, recipe) | unknown
    return _checked(complete if recipe is None else complete | {"source": source})


def notebook_config(**parameters: Any) -> RunConfig:
    """Return the checked configuration of these parameters, and of those that papermill was given besides.

    papermill only warns when the notebook has no such parameter, and the run would go without. Here it is used if a
    run has it, and otherwise stops the run; what the notebook decides itself cannot be chosen. Raises ConfigError:
    one line for each that is unknown or not allowed.
    """
    given = injected()
    if fixed := [name for name in given if name in parameters and parameters[name] != given[name]]:
        lines = [
            f"{name}={given[name]!r} is not allowed; this notebook is about {parameters[name]!r}" for name in fixed
        ]
        raise ConfigError("\n".join(lines))
    return make_config(**parameters, **{name: value for name, value in given.items() if name not in parameters})


def injected() -> dict[str, Any]:
    """Return what papermill set in the running kernel, by name and in order; nothing where there is no kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return {name: shell.user_ns[name] for name in injected_names(shell.user_ns.get("In", []))} if shell else {}


def injected_names(executed_cells: Sequence[str]) -> list[str]:
    """Return the names papermill set, from the sources of the cells run so far: its own has a header."""
    names = []
    for source in executed_cells:
        if source.startswith(PAPERMILL_HEADER):
            for statement in ast.parse(source).body:
                if isinstance(statement, ast.Assign):
                    names += [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return names


def _checked(parameters: dict[str, Any]) -> RunConfig:
    try:
        config = RunConfig(**parameters)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(problem, PARAMETERS) for problem in error.errors())) from None
    check_pairs(config)
    check_images(config)
    check_device(config.device)
    own = is_own(config.model)
    network = shapes_of(load_own(config.model)[0]) if own else _shapes_of_the_courses(config.model)
    check_network(config.model, network, config.learning_epochs, config.whitened)
    check_output(config, network, averaged=config.averaging > 0)
    return config


@cache
def _shapes_of_the_courses(name: str) -> nn.Module | None:
    return shapes_of(partial(build_model, name))
