"""The README's numbers are those of the records, and its links lead somewhere."""

import json
import re

from mnist_helpers.evaluation import accuracy_interval
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.results import read_results
from mnist_helpers.study import read_study

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")


def test_the_numbers_are_the_records():
    run, study = read_results(PROJECT_ROOT / "outputs"), read_study("final").test_accuracy
    benchmark = json.loads((PROJECT_ROOT / "outputs" / "benchmark.json").read_text())
    fastest = list(benchmark["versions"].values())[-1]
    low, high = accuracy_interval(round(run.final_test_accuracy * 10_000), 10_000)
    for text in (
        f"**{run.total_parameters:,} parameters**",
        f"**{100 * study.mean:.2f} ± {100 * study.std:.2f} %**",
        f"over {study.n} seeds",
        f"from {100 * study.minimum:.2f} to {100 * study.maximum:.2f} %",
        f"{100 * run.final_test_accuracy:.2f} %, 95 % interval {100 * low:.2f} to {100 * high:.2f} %",
        f"takes {fastest['ratio_to_reference']:.2f} of the time",
        f"({fastest['ratio_to_pil']:.2f} of the time",
        f"mean {100 * study.mean:.2f} %, std {100 * study.std:.2f} %",
    ):
        assert text in README.replace("\n", " "), text


def test_links_and_pictures_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target and not target.startswith("../../actions/"):
            assert (PROJECT_ROOT / target).exists(), target


def test_every_command_it_names_is_in_the_makefile():
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    for command in re.findall(r"(?<=`)make ([a-z-]+)|^make ([a-z-]+)", README, re.MULTILINE):
        name = "".join(command)
        assert re.search(rf"^{name}:", makefile, re.MULTILINE), name
