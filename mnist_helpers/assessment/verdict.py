"""Passed, not yet, or not to be told apart: what the seeds of a submission say about the course's goal."""

from pathlib import Path

from pydantic import BaseModel

from mnist_helpers.networks import PARAMETER_BUDGET
from mnist_helpers.records import read_record, write_record
from mnist_helpers.runs import ACCURACY_GOAL
from mnist_helpers.sweeps import Spread, mean_interval
from mnist_helpers.training import EPOCH_BUDGET

PASSED, NOT_YET, OPEN, REFUSED = "passed", "not yet", "cannot be told apart", "refused"
STATUS = {PASSED: 0, NOT_YET: 1, OPEN: 3, REFUSED: 4}  # the command's; 2: it was called wrongly
VERDICT_FILE = "verdict.json"


class Verdict(BaseModel, frozen=True):
    """An outcome, the sentence that gives its reason, and the figures it rests on."""

    outcome: str
    sentence: str
    parameters: int
    epochs: int
    test_accuracy: Spread
    interval: tuple[float, float]  # of the mean over seeds, 95 %


def judge(found: Spread, parameters: int, epochs: int) -> Verdict:
    """Judge the test accuracies of several seeds by the 95 % interval of their mean (Student's t).

    Passed: its lower end is above the goal; not yet: its upper end is below. Whatever the accuracy, a network beyond
    the course's limits is refused. ValueError: one seed has no interval.
    """
    low, high = mean_interval(found)
    interval = low, high = max(low, 0), min(high, 1)  # two seeds far apart: Student's t knows no limits, a share does
    outcome, where = OPEN, "holds"
    if low > ACCURACY_GOAL:
        outcome, where = PASSED, "lies above"
    elif high < ACCURACY_GOAL:
        outcome, where = NOT_YET, "lies below"
    said = f"{outcome} with {found.n} seeds" if outcome == OPEN else outcome
    limits = f"{100 * low:.3f} to {100 * high:.3f} %"
    sentence = f"{said}: the mean's 95 % interval over {found.n} seeds, {limits}, {where} {ACCURACY_GOAL:.1%}"
    if parameters >= PARAMETER_BUDGET or epochs >= EPOCH_BUDGET:
        outcome = REFUSED
        allowed = f"fewer than {PARAMETER_BUDGET:,} parameters and fewer than {EPOCH_BUDGET} epochs"
        sentence = f"{outcome}: {parameters:,} parameters, {epochs} epochs; allowed: {allowed}"
    figures = {"parameters": parameters, "epochs": epochs, "test_accuracy": found, "interval": interval}
    return Verdict(outcome=outcome, sentence=sentence, **figures)


def write_verdict(verdict: Verdict, folder: Path) -> Path:
    """Write `verdict.json` into `folder`, whole or not at all, and return its path."""
    path = folder / VERDICT_FILE
    write_record(path, verdict)
    return path


def read_verdict(folder: Path) -> Verdict:
    """Read a folder's `verdict.json`; FileNotFoundError: there is none; DamagedError: it is not as it was written."""
    return read_record(folder / VERDICT_FILE, Verdict, "a verdict", "assess the submission again")
