"""The workflow that judges a pull request: one make target that is there, and no right that it does not need."""

import csv
import re

import pytest
import yaml

from mnist_helpers.paths import PROJECT_ROOT

WORKFLOW = yaml.safe_load((PROJECT_ROOT / ".github" / "workflows" / "assess.yml").read_text(encoding="utf-8"))
(JOB,) = WORKFLOW["jobs"].values()
EVENTS = WORKFLOW[True]  # `on` is a truth value in YAML 1.1


def test_it_may_only_read_knows_no_secret_and_ends():
    assert list(EVENTS) == ["pull_request"]
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in JOB
    assert "secrets" not in str(WORKFLOW)
    (checkout,) = [step for step in JOB["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"]["persist-credentials"] is False
    assert checkout["with"]["fetch-depth"] == 2  # HEAD^1 is there
    assert JOB["timeout-minutes"] <= 90


def test_it_runs_for_submissions_and_nothing_from_the_request_reaches_its_shell():
    assert EVENTS["pull_request"]["paths"] == ["notebooks/submissions/**.py"]
    assert "${{" not in str(WORKFLOW)


def test_it_calls_one_make_target_that_assesses_what_changed():
    packages, command = (step["run"] for step in JOB["steps"] if "run" in step)
    assert packages == "make setup LOCK=.github/requirements.lock"
    target, variable = re.fullmatch(r"make ([a-z-]+) ([A-Z]+)=HEAD\^1", command).groups()
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    assert f'assess --seeds $(SEEDS) --changed-since "$({variable})" notebooks/submissions' in recipe


@pytest.mark.parametrize("name", ["small_steps", "only_dense"])
def test_the_samples_are_there_and_keep_the_rules(name):
    from mnist_helpers.assessment.submission import with_class
    from mnist_helpers.networks.rules import required_checks
    from mnist_helpers.runs import load_own

    make, recipe = load_own(with_class(PROJECT_ROOT / "notebooks" / "submissions" / f"{name}.py"))
    assert all(check.passed for check in required_checks(make()))
    assert recipe["epochs"] < 20


def test_the_samples_are_told_as_they_were_judged():
    with (PROJECT_ROOT / "outputs" / "samples.csv").open(encoding="utf-8", newline="") as file:
        judged = {row["submission"].partition("_")[0]: row for row in csv.DictReader(file)}
    told = (PROJECT_ROOT / "notebooks" / "submissions" / "README.md").read_text(encoding="utf-8")
    for start, verdict in (("small", "passed"), ("only", "not yet")):
        row = judged[start]
        assert (row["verdict"], row["seeds"]) == (verdict, "5")
        mean, interval = row["accuracy"].split(", ")
        assert f"| {verdict}: {mean}, 95 % interval of the mean {interval} |" in told
