"""The README's numbers are those of the records, and its links lead somewhere."""

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from notebooks.told import prose
from PIL import Image

from mnist_helpers.benchmarks import (
    BFLOAT16_RUN,
    FAST_RUN,
    MEMORY,
    PEER_RUN,
    PIL,
    REFERENCE,
    REFERENCE_RUN,
    SPRINT_RUN,
    read_benchmark,
)
from mnist_helpers.benchmarks.benchmark import Trainings
from mnist_helpers.benchmarks.trainings import FIRST, STARTED
from mnist_helpers.data import load_mnist
from mnist_helpers.experiments import (
    IDEAS_AGAIN,
    STEPS_AGAIN,
    TRIED_AGAIN,
    Sooner,
    read_frontier,
    read_ledger,
    read_verdicts,
)
from mnist_helpers.experiments.experiment import Experiment
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import read_results
from mnist_helpers.sweeps import Spread, images_interval, mean_interval, read_study
from mnist_helpers.training import accuracy_interval
from mnist_helpers.trust.trial import Torture

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(
    path for path in PROJECT_ROOT.rglob("*.md") if not path.relative_to(PROJECT_ROOT).parts[0].startswith(".")
)
RECORDS = (PROJECT_ROOT / "outputs" / "README.md").read_text(encoding="utf-8")


def percent(found: Spread) -> str:
    return f"{100 * found.mean:.2f} ± {100 * found.std:.2f} %"


def test_the_numbers_are_the_records():
    run, study = read_results(), read_study("final").test_accuracy
    low, high = accuracy_interval(round(run.final_test_accuracy * 10_000), 10_000)
    for text in (
        f"**{run.total_parameters:,} parameters**",
        f"**{percent(study)}**",
        f"over {study.n} seeds",
        f"from {100 * study.minimum:.2f} to {100 * study.maximum:.2f} %",
        f"{100 * run.final_test_accuracy:.2f} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %",
        f"mean {100 * study.mean:.2f} %, std {100 * study.std:.2f} %",
    ):
        assert text in README.replace("\n", " "), text


@pytest.mark.parametrize("name", ["final", "fast", "tiny", "best"])
def test_the_table_of_results_is_the_studies(name):
    study = read_study(name)
    low, high = (100 * limit for limit in mean_interval(study.test_accuracy))
    (row,) = [line for line in README.splitlines() if line.startswith(f"| [{name}]")]
    assert [cell.strip() for cell in row.split("|")[3:-1]] == [
        f"{study.parameters:,}", f"{study.runs[0].config.epochs}", percent(study.test_accuracy),
        f"{study.test_accuracy.n}", f"{low:.2f} to {high:.2f} %",
    ]  # fmt: skip


def rows_of_notebooks(page: str) -> dict[str, list[str]]:
    """Return the cells of each notebook's row in a page's table, by its number."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "ipynb) |" in line]
    return {re.match(r"\[(\d\d) ", row[0])[1]: row for row in rows if re.match(r"\[\d\d ", row[0])}


def test_what_a_notebook_changes_is_what_the_studies_say():
    reached = {
        name: f"{100 * read_study(name).test_accuracy.mean:.2f}"
        for name in ("baseline", "skeleton", "dropout", "onecycle", "augmentation", "final", "best")
    }
    seconds = {name: read_ledger().seconds_per_epoch[name] * read_study(name).runs[0].total_epochs
               for name in ("final", "fast")}  # fmt: skip
    said = {number: row[2] for number, row in rows_of_notebooks(README).items()}
    steps = {
        "03": ("baseline", "skeleton"), "04": ("skeleton", "dropout"), "05": ("dropout", "onecycle"),
        "06": ("onecycle", "augmentation"), "07": ("augmentation", "final"), "13": ("final", "best"),
    }  # fmt: skip
    assert said.pop("02") == f"{reached['baseline']} %"
    assert said.pop("12") == f"{seconds['final']:.0f} → {seconds['fast']:.0f} seconds"
    for number, (before, after) in steps.items():
        assert said.pop(number).split(":")[0] == f"{reached[before]} → {reached[after]} %", number
    assert set(said.values()) == {""}


def test_minutes_and_levels_are_those_of_the_teachers_page():
    mine = {number: row[3:] for number, row in rows_of_notebooks(README).items()}
    theirs = rows_of_notebooks((PROJECT_ROOT / "notebooks" / "README.md").read_text(encoding="utf-8"))
    assert len(mine) == 13
    assert mine == {number: [f"{row[2]} + {row[3]}", row[4]] for number, row in theirs.items()}
    assert theirs["07"][3] == f"{read_results().training_time_seconds / 60:.0f}"


def test_the_speeds_are_the_benchmarks():
    found = read_benchmark()
    fast, halved, sprint, peer = (found.reached[name] for name in (FAST_RUN, BFLOAT16_RUN, SPRINT_RUN, PEER_RUN))
    for text in (
        f"{fast.parameters:,} parameters and {fast.epochs} epochs",
        f"**{percent(fast.test_accuracy)}**",
        f"**{found.runs[FAST_RUN].median_seconds:.1f} seconds** on two cores of an {found.environment.processor} "
        f"with {found.environment.cpu_capability}",
        f"{1 / found.runs[FAST_RUN].ratios[REFERENCE_RUN]:.0f} times faster",
        f"reaches {percent(halved.test_accuracy)} there and takes "
        f"{found.runs[BFLOAT16_RUN].median_seconds / found.runs[FAST_RUN].median_seconds:.1f} times as long",
        f"reaches {percent(sprint.test_accuracy)} in {found.runs[SPRINT_RUN].ratios[PEER_RUN]:.2f} of the time",
        f"({percent(peer.test_accuracy)}, {peer.parameters:,} parameters)",
        f"takes {found.epoch[MEMORY].ratios[REFERENCE]:.2f} of the time",
        f"({found.epoch[MEMORY].ratios[PIL]:.2f} of the time",
    ):
        assert text in RECORDS.replace("\n", " "), text


def test_the_sizes_are_the_frontiers():
    studies = {study.name: study for study in read_frontier()}
    expected = [f"{len(studies)} networks"]
    for name in ("best", "tiny", "tinier", "looped_10"):
        found = studies[name].test_accuracy
        low, high = (100 * limit for limit in mean_interval(found))
        expected += [
            f"`{name}`, {studies[name].runs[0].total_parameters:,} parameters, reaches **{percent(found)}**",
            f"{low:.2f} to {high:.2f} % over seeds",
        ]
    for name in ("best", "looped_10"):
        low, high = (100 * limit for limit in images_interval(studies[name].test_accuracy))
        expected.append(f"{low:.2f} to {high:.2f} % for other test images")
    for text in expected:
        assert text in RECORDS.replace("\n", " "), text
    holding = [study for study in studies.values() if mean_interval(study.test_accuracy)[0] >= 0.99]
    smallest, other = sorted(holding, key=lambda study: study.parameters)[:2]
    assert (smallest.name, other.name) == ("looped_10", "compact_1904")
    told = (
        f"{smallest.parameters:,} parameters, {percent(smallest.test_accuracy)} over {smallest.test_accuracy.n} seeds"
    )
    assert told in README.replace("\n", " ")


def test_the_verdicts_are_those_by_writers():
    def shown(experiments: Sequence[Experiment]) -> dict[str, float]:
        return {found.tried.name: found.gain.mean for found, p in read_verdicts(experiments) if p < 0.05}

    ideas = shown(IDEAS_AGAIN)
    assert (len(ideas), len(IDEAS_AGAIN)) == (3, 23)
    assert max(ideas.values()) < 0
    assert "three ideas of 23 are shown to be worse and none to be better" in RECORDS.replace("\n", " ")
    assert list(shown((*STEPS_AGAIN[1:], *TRIED_AGAIN))) == ["writers_speed_hurried"]
    assert "only four epochs at five times the rate are shown to cost" in RECORDS.replace("\n", " ")


def test_the_lines_of_python_run_as_they_stand_there(tmp_path):
    lines = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    pixels = load_mnist()[1].pixels[0].numpy()
    Image.fromarray(255 - pixels).resize((140, 140)).save(tmp_path / "my_digit.png")
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Reading(digit=7,")


def test_the_line_on_torture_is_the_record():
    rows = Torture.read().rows
    assert all(row.tried and row.lost == row.silent == row.unnamed == 0 for row in rows)
    line = f"{sum(row.tried for row in rows):,} trials of {len(rows)} kinds"
    assert line in README.replace("\n", " "), line


def test_the_seconds_on_a_gpu_are_the_benchmarks():
    found = Trainings.read()
    seconds = {name: each.median_seconds for name, each in found.runs.items()}
    fast, shorter, peer = (found.reached[name].test_accuracy for name in (FAST_RUN, BFLOAT16_RUN, PEER_RUN))
    for text in (
        f"`fast` takes {seconds[FAST_RUN]:.2f} s once the process is warm, {percent(fast)} over ten seeds",
        f"In bfloat16 it takes **{seconds[BFLOAT16_RUN]:.2f} s** and reaches {percent(shorter)}",
        f"first training takes {seconds[FIRST]:.2f} s",
        f"its imports take {seconds[STARTED]:.1f} s",
        f"train_mnist_fast takes {seconds[PEER_RUN]:.2f} s there ({percent(peer)})",
    ):
        assert text in RECORDS.replace("\n", " "), text
    assert fast.n == shorter.n == 10


def test_the_share_of_two_epochs_with_muon_is_the_records():
    found = Sooner.read().runs
    fast, muon = found["writers_speed_fast"], found["writers_muon_two_epochs"]
    shares = [mine / its for mine, its in zip(muon.seconds, fast.seconds, strict=True)]
    text = (
        f"training takes {muon.ratios['writers_speed_fast']:.2f} of the time of `fast` beside it (median of "
        f"{len(shares)} turns on two cores of an {Sooner.read().environment.processor}, "
        f"{min(shares):.2f} to {max(shares):.2f}"
    )
    assert text in RECORDS.replace("\n", " "), text


def test_the_speeds_on_another_processor_are_those_of_the_older_record():
    (commit,) = set(re.findall(r"`git show (\w+):outputs/benchmark.json`", RECORDS))
    shown = subprocess.run(
        ["git", "show", f"{commit}:outputs/benchmark.json"], cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    if shown.returncode:
        pytest.skip("a clone without the history")
    older = json.loads(shown.stdout)
    assert (older["environment"]["cpu_capability"], older["environment"].get("processor")) == ("AVX512", None)
    times = {
        name: (statistics.median(run["seconds"]), 1 / run["ratios"][REFERENCE_RUN])
        for name, run in older["runs"].items()
    }
    (seconds, ratio), (shorter, larger) = times[FAST_RUN], times[BFLOAT16_RUN]
    told = (
        f"there `fast` took {seconds:.1f} seconds, {ratio:.0f} times faster than the reference, "
        f"and in bfloat16 {shorter:.1f}, {larger:.0f} times"
    )
    for page in (" ".join(RECORDS.split()), prose("12_faster")):
        assert told in page
        assert f"`git show {commit}:outputs/benchmark.json`" in page


def test_every_record_of_seconds_names_its_processor():
    records = {path.name: json.loads(path.read_text()) for path in (PROJECT_ROOT / "outputs").glob("*.json")}
    kept = {name: record["environment"] for name, record in records.items() if "environment" in record}
    timed = {"benchmark", "benchmark_gpu", "ledger", "page_speed", "profile", "sooner", "speedups", "torture"}
    assert {f"{name}.json" for name in timed} == set(kept)
    for name, environment in kept.items():
        told = (*environment["platform"].split(), environment["processor"], environment["cpu_capability"])
        assert len(told) == 4, name
        assert all(told), name
        assert environment["threads"], name


def test_the_page_of_the_outputs_names_every_record_with_its_command():
    page = (PROJECT_ROOT / "outputs" / "README.md").read_text(encoding="utf-8")
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    listed = subprocess.run(["git", "ls-files", "outputs"], cwd=PROJECT_ROOT, capture_output=True, text=True)
    for path in map(Path, listed.stdout.split()):
        if path.parent.name != "studies" and path != Path("outputs/README.md") and (PROJECT_ROOT / path).exists():
            name = path.relative_to("outputs")
            # a model's folder has one row for the files that `make models` makes
            names = (f"`{name}`", f"`{name.parent}/`", f"`{name.parent.parent}/NAME/`")
            row = next((line for line in page.splitlines() if any(each in line for each in names)), "")
            command = re.search(r"`make ([a-z-]+)`", row)
            assert command, f"outputs/README.md does not say which command makes {path}"
            assert re.search(rf"^{command[1]}:", makefile, re.MULTILINE), command[1]


def test_ci_begins_with_the_readmes_commands_and_ends_with_a_clean_checkout():
    block = re.search(r"```\n(make .*?)```", README, re.DOTALL)[1]
    commands = [line.split("#")[0].strip() for line in block.splitlines()]
    assert commands == ["make train", "make test"]
    script = (PROJECT_ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"^make .*$", script, re.MULTILINE)[:2] == commands
    assert script.rindex("git status --porcelain") > script.rindex("\nmake ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_links_and_pictures_are_there(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("../../actions/"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT_ROOT)))
def test_every_command_a_page_names_is_in_the_makefile(page):
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    for command in re.findall(r"(?<=`)make ([a-z-]+)|^make ([a-z-]+)", text, re.MULTILINE):
        name = "".join(command)
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
