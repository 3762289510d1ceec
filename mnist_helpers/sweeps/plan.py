"""What a sweep runs: settings, a grid or list of changes to them, and seeds; as code or as a TOML or JSON file."""

import hashlib
import itertools
import json
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError

from mnist_helpers.paths import display_path, resolve
from mnist_helpers.runs import ConfigError, RunConfig, explain, make_config
from mnist_helpers.training import PLACES

RUNNERS_OWN = ("seed", "output_dir", "resume")  # parameters of a run that the sweep chooses itself
NAME_LENGTH = 100


def _folder_name(name: str) -> str:
    if not name.strip() or name.startswith(".") or len(name) > NAME_LENGTH or not set("/\\\0\n").isdisjoint(name):
        raise ValueError(f"the name of one folder: no / or \\, no dot in front, 1 to {NAME_LENGTH} characters")
    return name


def _some(values: Sequence) -> Sequence:
    if not values:
        raise ValueError("at least one value")
    return values


class SweepPlan(BaseModel, frozen=True, extra="forbid"):
    """Every configuration with every seed; a configuration is `settings` with one of `changes` and a point of `grid`.

    As a file (JSON where a value is null, which TOML lacks):

        name = "rate"
        seeds = [0, 1, 2]
        settings = { epochs = 4 }
        grid = { max_lr = [0.05, 0.1], model = ["final", "batchnorm"] }
    """

    name: Annotated[str, AfterValidator(_folder_name)]
    seeds: Annotated[tuple[int, ...], AfterValidator(_some)] = (0, 1, 2)
    settings: dict[str, Any] = {}
    changes: Annotated[tuple[dict[str, Any], ...], AfterValidator(_some)] = ({},)
    grid: dict[str, Annotated[list[Any], AfterValidator(_some)]] = {}

    def configurations(self) -> dict[str, dict[str, Any]]:
        """Return each configuration's settings by what sets it apart (`max_lr=0.1`); ConfigError for a bad choice."""
        found = {}
        for change in self.changes:
            for values in itertools.product(*self.grid.values()):
                point = dict(zip(self.grid, values, strict=True))
                _check_names([*self.settings, *change, *point])
                label = " ".join(f"{name}={value}" for name, value in (change | point).items())
                found[label or self.name] = self.settings | change | point
        return found


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name in RUNNERS_OWN:
            raise ConfigError(f"{name} is not a setting of a sweep, which chooses it for every run; allowed: seeds")
        if names.count(name) > 1:
            raise ConfigError(f"{name} is chosen twice; allowed: once, in settings, changes or grid")


def parse_value(text: str) -> Any:
    """Return a value given as text: JSON if it can be (`0.1`, `null`, `{"degrees": 0}`), otherwise the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse_values(text: str) -> list[Any]:
    """Return values given as text, with commas between them."""
    try:
        return json.loads(f"[{text}]")  # a comma inside an object does not part
    except ValueError:
        return [parse_value(part) for part in text.split(",")]


def make_plan(**fields: Any) -> SweepPlan:
    """Return a checked plan, its configurations left for its run; ConfigError for fields unknown or not allowed."""
    try:
        return SweepPlan(**fields)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(each, SweepPlan.model_fields) for each in error.errors())) from None


def read_plan(file: str | Path) -> SweepPlan:
    """Read a plan from a `.toml` or `.json` file; without a name in it, it has the file's.

    A relative path is taken from here or else from the project's top; ConfigError for one not there or not a plan.
    """
    here = Path(file).expanduser()
    path = here if here.exists() else resolve(file)
    try:
        data = path.read_bytes()
        # editors on Windows put a mark in front, or write two bytes a letter; JSON's reader knows both
        text = data.decode(json.detect_encoding(data))
        fields = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return make_plan(**{"name": path.stem, **fields})
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{display_path(path.absolute())}: {reason}") from None


def config_key(config: RunConfig) -> str:
    """Return a short name for what `config` trains, whatever the seed and wherever it happens."""
    settings = config.model_dump(mode="json", exclude=PLACES | {"seed"})
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def run_key(config: RunConfig) -> str:
    """Return a short name for what `config` trains, such as `1f6c5a3be02d_seed_0`."""
    return f"{config_key(config)}_seed_{config.seed}"


@dataclass(frozen=True)
class Configuration:
    """Checked settings under a name, as they were understood, and the run of each seed."""

    name: str
    settings: dict[str, Any]
    runs: tuple[RunConfig, ...]


def check_configurations(
    settings: Mapping[str, Mapping[str, Any]], seeds: Mapping[str, Sequence[int]]
) -> list[Configuration]:
    """Return all named settings with their seeds, checked before any runs; ConfigError for what is not allowed."""
    found, problems = [], []
    place = {"output_dir": tempfile.gettempdir(), "resume": True}  # until a run has its own folder
    for name, chosen in settings.items():
        try:
            runs = tuple(make_config(**chosen, **place, seed=seed) for seed in dict.fromkeys(seeds[name]))
            found.append(Configuration(name, runs[0].model_dump(mode="json", include=set(chosen)), runs))
        except ConfigError as error:
            problems += str(error).splitlines()
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))  # each once: a value is in many points of a grid
    return found
