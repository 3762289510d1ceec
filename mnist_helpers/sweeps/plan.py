"""What a sweep runs: settings, a grid or list of changes to them, and seeds; as code or as a TOML or JSON file."""

import hashlib
import itertools
import json
import math
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, Self

from pydantic import AfterValidator, BaseModel, FailFast, Field, ValidationError, model_validator

from mnist_helpers.paths import LONGEST_NAME, display_path, resolve
from mnist_helpers.runs import ConfigError, RunConfig, explain, make_config, shown
from mnist_helpers.training import PLACES

RUNNERS_OWN = ("seed", "output_dir", "resume")  # parameters of a run that the sweep chooses itself
NAME_LENGTH = 100
MOST_RUNS = 10_000  # of a plan: a week, at a minute each
MOST_BYTES = 1_000_000  # of a plan's file
MOST_PROBLEMS = 20  # said of a plan at once
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**31)]  # as a run's; a boolean is none


def _folder_name(name: str) -> str:
    long = len(name) > NAME_LENGTH or len(name.encode()) > LONGEST_NAME
    odd = name != name.strip() or not name.isprintable() or not set("/\\").isdisjoint(name)
    if not name or name.startswith(".") or long or odd:
        raise ValueError(f"the name of one folder: no / or \\, no dot in front, 1 to {NAME_LENGTH} characters")
    return name


def _some(values: Sequence) -> Sequence:
    if not values:
        raise ValueError("at least one value")
    return values


class SweepPlan(BaseModel, frozen=True, extra="forbid"):
    """Every configuration with every seed; a configuration is `settings` with one of `changes` and a point of `grid`.

    At most 10,000 runs, counted before anything is made of them. As a file (JSON where a value is null, which TOML
    lacks):

        name = "rate"
        seeds = [0, 1, 2]
        settings = { epochs = 4 }
        grid = { max_lr = [0.05, 0.1], model = ["final", "batchnorm"] }
    """

    name: Annotated[str, AfterValidator(_folder_name)]
    seeds: Annotated[tuple[Seed, ...], FailFast(), AfterValidator(_some)] = (0, 1, 2)
    settings: dict[str, Any] = {}
    changes: Annotated[tuple[dict[str, Any], ...], AfterValidator(_some)] = ({},)
    grid: dict[str, Annotated[list[Any], AfterValidator(_some)]] = {}

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        runs = len(set(self.seeds)) * len(self.changes) * math.prod(map(len, self.grid.values()))
        if runs > MOST_RUNS:
            raise ValueError(f"{self.name} asks for {shown(runs)} runs; allowed: at most {MOST_RUNS:,}")
        return self

    def configurations(self) -> dict[str, dict[str, Any]]:
        """Return each configuration's settings by what sets it apart (`max_lr=0.1`); ConfigError for a bad choice."""
        found = {}
        for change in self.changes:
            for values in itertools.product(*self.grid.values()):
                point = dict(zip(self.grid, values, strict=True))
                _check_names([*self.settings, *change, *point])
                label = _label(change | point) or self.name
                # what is written alike may be two things, such as null and "None"
                if label in found:
                    raise ConfigError(f"{label} is chosen twice; allowed: every configuration once")
                found[label] = self.settings | change | point
        return found


def _label(chosen: Mapping[str, Any]) -> str:
    try:
        return " ".join(f"{name}={value}" for name, value in chosen.items())
    except RecursionError:
        raise ConfigError(f"{shown(dict(chosen))} is nested too deeply; allowed: the values of a run") from None


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if name in RUNNERS_OWN:
            raise ConfigError(f"{name} is not a setting of a sweep, which chooses it for every run; allowed: seeds")
        if names.count(name) > 1:
            raise ConfigError(f"{name} is chosen twice; allowed: once, in settings, changes or grid")


def parse_value(text: str) -> Any:
    """Return a value given as text: JSON if it can be (`0.1`, `null`, `{"degrees": 0}`), otherwise the text."""
    try:
        return _from_json(text)
    except (ValueError, RecursionError):
        return text


def parse_values(text: str) -> list[Any]:
    """Return values given as text, with commas between them."""
    try:
        return _from_json(f"[{text}]")  # a comma inside an object does not part
    except (ValueError, RecursionError):
        return [parse_value(part) for part in text.split(",")]


def _from_json(text: str) -> Any:
    """Return what a JSON text says; ValueError: it is none, or says two things of one name."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if twice := [name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1]:
            raise ValueError(f"{shown(twice[0])} is given twice")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


def make_plan(**fields: Any) -> SweepPlan:
    """Return a checked plan, its configurations left for its run; ConfigError for fields unknown or not allowed."""
    try:
        return SweepPlan(**fields)
    except ValidationError as error:
        _refuse([explain(each, SweepPlan.model_fields) for each in error.errors()[:MOST_PROBLEMS]])


def _refuse(problems: Sequence[str]) -> NoReturn:
    lines = list(dict.fromkeys(problems))  # each once: a value is in many points of a grid
    more = [f"and {len(lines) - MOST_PROBLEMS:,} more"] if len(lines) > MOST_PROBLEMS else []
    raise ConfigError("\n".join(lines[:MOST_PROBLEMS] + more)) from None


def read_plan(file: str | Path) -> SweepPlan:
    """Read a plan from a `.toml` or `.json` file; without a name in it, it has the file's.

    A relative path is taken from here or else from the project's top; ConfigError for one not there or not a plan.
    """
    path = Path(file)
    try:
        here = path.expanduser()
        path = here if here.exists() else resolve(file)
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"a plan has at most {MOST_BYTES:,} bytes")
        # editors on Windows put a mark in front, or write two bytes a letter; JSON's reader knows both
        text = data.decode(json.detect_encoding(data))
        fields = _from_json(text) if path.suffix == ".json" else tomllib.loads(text)
        return make_plan(**{"name": path.stem, **fields})
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        deep = isinstance(error, RecursionError)
        reason = "nested too deeply" if deep else getattr(error, "strerror", None) or error
        raise ConfigError(f"{_shown_path(path)}: {reason}") from None


def _shown_path(path: Path) -> str:
    text = str(path)
    return shown(text) if len(text) > LONGEST_NAME or not text.isprintable() else display_path(path.absolute())


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
        _refuse(problems)
    return found
