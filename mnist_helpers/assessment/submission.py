"""One submission, from its file to its study: which class, with which settings and seeds, trained and tested."""

import ast
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from time import monotonic
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError

from mnist_helpers.assessment.workplace import Refused, ask, check_held_out, format_time, workplace
from mnist_helpers.data import Images, load_mnist
from mnist_helpers.paths import display_path, resolve
from mnist_helpers.runs import OWN, ConfigError, RunConfig, RunResults, injected, is_own, make_config
from mnist_helpers.sweeps import CodeVersion, FailedRun, FinishedRun, RunRecord, Study, make_plan, run_sweep
from mnist_helpers.training import metrics

ASSESSED = f"{OWN}/assessed"
SEEDS, MOST_SEEDS = 5, 100
MINUTES, MOST_MINUTES = 60, 10_000
CALM_SECONDS = 1.0  # between two looks at what has ended
ANSWER_SECONDS = 300.0  # to read 10,000 digits


@dataclass(frozen=True)
class Submission:
    """A network of one's own with the settings of its first run, its seeds, limit in seconds, and place on disk."""

    config: RunConfig
    seeds: tuple[int, ...]
    seconds: float
    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)  # what was chosen besides her file


def name_of(model: str) -> str:
    """Return a submission's name from `path/to/my_net.py:MyNet`: `my_net_MyNet`."""
    path, _, maker = model.rpartition(":")
    return f"{Path(path).stem}_{maker}"


def with_class(file: Path) -> str:
    """Return `file:Class` for the only class that no other in the file uses or extends; ConfigError: none or many."""
    try:
        classes = [
            each for each in ast.parse(file.read_bytes()).body if isinstance(each, ast.ClassDef) and each.bases
        ]
    except (SyntaxError, ValueError, OSError) as error:
        raise ConfigError(f"{display_path(file)} cannot be read: {error}") from None
    used = {
        node.id for each in classes for node in ast.walk(each) if isinstance(node, ast.Name) and node.id != each.name
    }
    names = [each.name for each in classes if each.name not in used]
    if len(names) != 1:
        found = ", ".join(names) or "no class"
        raise ConfigError(f"{display_path(file)} holds {found}; say which: {display_path(file)}:ClassName")
    return f"{display_path(file)}:{names[0]}"


def check_limits(seeds: int, minutes: float) -> None:
    """Raise ConfigError for a number of seeds or minutes that is not allowed."""
    if not isinstance(seeds, int) or not 2 <= seeds <= MOST_SEEDS:
        allowed = f"a whole number ≥ 2, since one has no interval, and ≤ {MOST_SEEDS} (default {SEEDS})"
        raise ConfigError(f"seeds={seeds!r} is not allowed; allowed: {allowed}")
    if not isinstance(minutes, int | float) or not 0 < minutes <= MOST_MINUTES:
        allowed = f"a number > 0 and ≤ {MOST_MINUTES:,} (default {MINUTES})"
        raise ConfigError(f"minutes={minutes!r} is not allowed; allowed: {allowed}")


def make_submission(
    model: str,
    seeds: int = SEEDS,
    epochs: int | None = None,
    train_size: int | None = None,
    minutes: float = MINUTES,
    output_dir: str | None = None,
    **unknown: Any,
) -> Submission:
    """Return a checked submission; what is None is as its file says, or the course's final network has it.

    ConfigError, one line for each: a parameter, given here or by papermill, that is unknown or not allowed.
    """
    known = ("model", "seeds", "epochs", "train_size", "minutes", "output_dir")
    for name in (*unknown, *injected()):
        if name not in known:
            raise ConfigError(f"{name} is not a parameter; allowed: {', '.join(known)}")
    if not isinstance(model, str) or not is_own(model):
        raise ConfigError(
            f"model={model!r} is not allowed; allowed: a network of your own, path/to/file.py:ClassName"
        )
    check_limits(seeds, minutes)
    folder = resolve(output_dir or f"{ASSESSED}/{name_of(model)}")
    changes = {name: value for name, value in (("epochs", epochs), ("train_size", train_size)) if value is not None}
    config = make_config(model=model, data_dir="data", output_dir=str(folder), seed=0, resume=False, **changes)
    check_held_out(config)
    return Submission(config, tuple(range(seeds)), 60 * minutes, folder, changes)


def train_seeds(submission: Submission) -> Study:
    """Train and test every seed that is not on record yet; return all that are. Refused: one of them failed."""
    plan = make_plan(
        # another version of her file is another sweep
        name=f"{submission.config.source}",
        seeds=submission.seeds,
        settings={"model": submission.config.model, "data_dir": "data"},
        changes=(submission.changes,),
    )
    report = run_sweep(
        plan, partial(_engine, submission=submission), folder=f"{display_path(submission.folder)}/runs"
    )
    if report.failures:
        failed = [f"seed {failure.config.seed}: {failure.error}" for failure in report.failures]
        raise Refused("; ".join(dict.fromkeys(failed)))
    return report.studies[0].model_copy(update={"name": submission.config.model.rpartition(":")[2]})


def _engine(
    configs: Sequence[RunConfig], code: CodeVersion, submission: Submission
) -> Generator[list[RunRecord], None, None]:
    """Give the records of runs whose training saw no test digit; one run a core, each in processes of its own."""
    stop, end = Event(), monotonic() + submission.seconds
    _, test = load_mnist()
    with workplace(submission.config.model) as folder, ThreadPoolExecutor(torch.get_num_threads()) as pool:
        examine = partial(_examine, code=code, folder=folder, test=test, submission=submission, end=end, stop=stop)
        waiting = {pool.submit(examine, config) for config in configs}
        try:
            while waiting:
                ended, waiting = wait(waiting, CALM_SECONDS, FIRST_COMPLETED)
                yield [each.result() for each in ended]
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _examine(
    config: RunConfig, code: CodeVersion, folder: Path, test: Images, submission: Submission, end: float, stop: Event
) -> RunRecord:
    try:
        if (left := end - monotonic()) <= 0:
            raise Refused(f"not started, the time of {format_time(submission.seconds)} was over")
        weights = str(submission.folder / "weights" / f"seed_{config.seed}")
        # what a run leaves on the way lies outside the workplace: a killed one goes on from there
        settings = config.model_copy(update={"output_dir": str(config.output_folder())}).model_dump_json()
        results = RunResults.model_validate(ask(folder, left, "train", stop, config=settings, weights=weights))
        logits = _answers(folder, settings, weights, test, stop)
    except (Refused, ValidationError, ValueError, OSError) as error:
        return FailedRun(code=code, config=config, error=" ".join(str(error).split()))
    found = metrics(logits, test.targets)
    last = results.history[-1].model_copy(update={"test_loss": found.loss, "test_accuracy": found.accuracy})
    told = {
        "config": config,
        "history": [*results.history[:-1], last],
        "final_test_loss": found.loss,
        "final_test_accuracy": found.accuracy,
        "test_mistakes": (logits.argmax(1) != test.targets).nonzero().flatten().tolist(),
    }
    return FinishedRun(code=code, **dict(results) | told)


def _answers(folder: Path, config: str, weights: str, test: Images, stop: Event) -> torch.Tensor:
    """Return the logits (N, 10) of the test digits, by a process that is shown their pixels but not their labels."""
    with TemporaryDirectory() as name:
        pixels, logits = (str(Path(name) / f"{part}.npy") for part in ("pixels", "logits"))
        np.save(pixels, test.pixels.numpy())
        ask(folder, ANSWER_SECONDS, "answer", stop, config=config, weights=weights, pixels=pixels, logits=logits)
        found = torch.from_numpy(np.load(logits))
    if found.shape != (len(test), 10) or not bool(found.isfinite().all()):
        raise Refused("its answers to the test digits are not ten numbers each")
    return found
