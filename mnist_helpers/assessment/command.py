"""`make assess MODEL=my_net.py:MyNet`, or a folder: every submission judged, its executed notebook the report.

Exit status of one submission: 0 passed, 1 not yet, 3 cannot be told apart, 4 refused. Of a folder: 0, or 4 where one
was refused. 2: called wrongly.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mnist_helpers.assessment.copies import Layers, bare_source, find_copies
from mnist_helpers.assessment.handed_in import find_submissions
from mnist_helpers.assessment.minutes import expected_seconds
from mnist_helpers.assessment.submission import ASSESSED, MINUTES, SEEDS, check_limits, name_of, with_class
from mnist_helpers.assessment.table import Row, format_markdown, write_table
from mnist_helpers.assessment.verdict import REFUSED, STATUS, VERDICT_FILE, read_verdict
from mnist_helpers.assessment.workplace import Refused, ask, format_time, workplace
from mnist_helpers.files import write_text_atomically
from mnist_helpers.paths import PROJECT_ROOT, display_path, resolve
from mnist_helpers.runs import ConfigError, make_config
from mnist_helpers.sweeps import format_interval, format_spread

NOTEBOOK = "[0-9][0-9]_your_own_network.ipynb"  # wherever it stands in the course
REPORT, PAGE = "report.ipynb", "report.html"
LOOK_SECONDS, REST_SECONDS = 120, 300  # limits: before any training; on the notebook besides the training
# the environment's own kernel, whatever another installation has put first
KERNEL = {"MPLBACKEND": "", "JUPYTER_PATH": "", "JUPYTER_PREFER_ENV_PATH": "1"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Assess one submission, or all of a folder, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m mnist_helpers assess", description=__doc__)
    parser.add_argument("model", help="file.py:Class, a file with one network, or a folder of such files")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how often each is trained (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="limit for each (default: %(default)g)")
    parser.add_argument("--epochs", type=int, help="for a quick try: other than the file says")
    parser.add_argument("--train-size", type=int, help="for a quick try: fewer training images")
    parser.add_argument("--changed-since", metavar="COMMIT", help="of a folder, only what git says has changed")
    parser.add_argument("--output-dir", default=ASSESSED, help="where reports go (default: %(default)s)")
    options = parser.parse_args(arguments)
    quick = {"epochs": options.epochs, "train_size": options.train_size}
    changes = {name: value for name, value in quick.items() if value is not None}
    try:
        check_limits(options.seeds, options.minutes)
        output = make_config(**changes, output_dir=options.output_dir).output_folder()
        submissions = find_submissions(options.model, options.changed_since)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    limits = {"seeds": options.seeds, "minutes": options.minutes}
    looked_at = [_look(file, maker, options.seeds, changes) for file, maker in submissions]
    seconds = [each.seconds for each in looked_at if not each.refused]
    if len(seconds) > 1:
        print(f"{len(seconds)} submissions: training takes about {format_time(sum(seconds))} in all", flush=True)
    rows = []
    for each in looked_at:
        rows.append(row := _judge(each, limits, changes, output / each.name))
        print(f"{row.submission}: {row.remark}", flush=True)
        if (page := output / row.submission / PAGE).exists():
            print(f"{row.submission}: report in {display_path(page)}", flush=True)
    rows = _marked(looked_at, rows)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as page:
            page.write(format_markdown(rows))
    verdicts = [row.verdict for row in rows]
    if not resolve(options.model).is_dir():
        return STATUS[verdicts[0]]
    for path in write_table(rows, output):
        print(f"wrote {display_path(path)}")
    return STATUS[REFUSED] if REFUSED in verdicts else 0


@dataclass(frozen=True)
class LookedAt:
    """A submission before any training: what it is and takes, or why it is refused."""

    file: Path
    name: str
    model: str = ""
    layers: Layers | None = None  # where it got so far as to show them
    seconds: float = 0  # of all its seeds
    refused: str = ""


def _look(file: Path, maker: str, seeds: int, changes: dict[str, Any]) -> LookedAt:
    name = file.stem
    try:
        model = f"{display_path(file)}:{maker}" if maker else with_class(file)
        name = name_of(model)
        with workplace(model) as place:
            seen = ask(place, LOOK_SECONDS, "look", settings={"model": model, **changes})
        if seen["broken"]:
            raise Refused(f"a rule is broken: {seen['broken']}")
    except (Refused, ConfigError) as error:
        return LookedAt(file, name, refused=f"{error}")
    seconds = expected_seconds(seen["seconds"], seeds)
    size = f"{seen['parameters']:,} parameters, epochs: {seen['epochs']}, seeds: {seeds}"
    print(f"{name}: keeps the rules; {size}; training takes about {format_time(seconds)}", flush=True)
    return LookedAt(file, name, model, seen["layers"], seconds)


def _judge(submission: LookedAt, limits: dict[str, Any], changes: dict[str, Any], folder: Path) -> Row:
    name = submission.name
    for old in (VERDICT_FILE, REPORT, PAGE):
        (folder / old).unlink(missing_ok=True)
    try:
        if submission.refused:
            raise Refused(submission.refused)
        folder.mkdir(parents=True, exist_ok=True)
        quick = {"epochs": None, "train_size": None} | changes  # the notebook's own are those of its example
        given = {"model": submission.model, **limits, **quick, "output_dir": display_path(folder)}
        _run_notebook(given, folder)
        verdict = read_verdict(folder)
    except (Refused, ConfigError) as error:
        return Row(name, REFUSED, remark=f"{REFUSED}: {error}")
    accuracy = f"{format_spread(verdict.test_accuracy)}, {format_interval(verdict.interval, sign='')} %"
    figures = (accuracy, f"{verdict.test_accuracy.n}", f"{verdict.parameters:,}", f"{verdict.epochs}")
    tried = " ".join(f"{option}={value}" for option, value in changes.items())
    remark = f"{verdict.sentence} (a quick try: {tried})" if tried else verdict.sentence
    return Row(name, verdict.outcome, *figures, remark=remark)


def _run_notebook(given: dict[str, Any], folder: Path) -> None:
    """Execute the notebook with these parameters, keep it in `folder`, also as a page; Refused: it did not end."""
    import nbformat  # these two are needed here only
    from nbconvert import HTMLExporter

    (notebook,) = resolve("notebooks").glob(NOTEBOOK)
    product, limit = folder / REPORT, int(60 * given["minutes"]) + REST_SECONDS
    how = ["-k", "python3", "--cwd", "notebooks", "--no-progress-bar", "--execution-timeout", str(limit)]
    command = [sys.executable, "-m", "papermill", str(notebook), str(product), *how, "-y", json.dumps(given)]
    try:
        done = subprocess.run(
            command, cwd=PROJECT_ROOT, env=os.environ | KERNEL, capture_output=True, text=True, timeout=limit + 60
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"stopped, its time of {format_time(60 * given['minutes'])} was over") from None
    if product.exists():
        report = nbformat.read(product, as_version=4)
        write_text_atomically(folder / PAGE, HTMLExporter().from_notebook_node(report)[0])
        outputs = [output for cell in report.cells for output in cell.get("outputs", [])]
        for error in (output for output in outputs if output.output_type == "error"):
            raise Refused(" ".join(error.evalue.split()))
    if done.returncode:
        raise Refused(
            f"its report could not be made: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        )


def _marked(looked_at: Sequence[LookedAt], rows: Sequence[Row]) -> list[Row]:
    """Return the rows, those of networks that are copies of each other marked."""
    sources = {}
    for each in looked_at:
        with suppress(SyntaxError, ValueError):  # a file that is no Python is like no other
            sources[each.name] = bare_source(each.file)
    copies = find_copies(sources, {each.name: each.layers for each in looked_at if each.layers})
    return [replace(row, copies=copies.get(row.submission, "")) for row in rows]
