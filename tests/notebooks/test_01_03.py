"""What notebooks 01 to 03 claim: the loop in the open is `train`, links lead somewhere, records are as told."""

import re
from statistics import median

import pytest
import torch
import torch.nn.functional as F
from notebooks.told import cells, markdown, printed

from mnist_helpers.data import Split, load_split, normalise
from mnist_helpers.experiments import read_ledger
from mnist_helpers.networks import BaselineNet
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import make_config
from mnist_helpers.sweeps import FinishedRun, differences, read_study
from mnist_helpers.training import train

NOTEBOOKS = PROJECT_ROOT / "notebooks"
STEMS = ("01_explore_data", "02_baseline", "03_skeleton")


def loop_in_the_open() -> str:
    sources = [cell.source for cell in cells("02_baseline") if cell.cell_type == "code"]
    (loop,) = [source for source in sources if "for epoch in range" in source and "loss.backward()" in source]
    return loop


def trained_by(loop: str, split: Split) -> list[torch.Tensor]:
    known = {"torch": torch, "F": F, "BaselineNet": BaselineNet, "normalise": normalise, "split": split}
    known |= {"epochs": 2, "train_size": len(split.train), "max_lr": 0.01, "seed": 3}
    exec(loop, known)
    return list(known["network"].parameters())


@pytest.mark.parametrize("slip", [None, "optimizer.zero_grad()", "torch.manual_seed(100 * seed + epoch)"])
def test_train_is_the_loop_of_notebook_02_and_no_other(slip, digits, tmp_path):
    config = make_config(
        model="baseline",
        epochs=2,
        max_lr=0.01,
        seed=3,
        batch_size=32,
        schedule="constant",
        augmentation=None,
        device="cpu",
        output_dir=str(tmp_path),
    )
    split = Split(digits.take(torch.arange(50)), digits.take(torch.arange(50, 64)))
    network, _ = train(BaselineNet, split, config, show=False, keep_checkpoints=False)
    loop = loop_in_the_open()
    by_hand = trained_by(loop.replace(slip, "pass") if slip else loop, split)
    same = all(map(torch.equal, by_hand, network.parameters()))
    assert same == (slip is None)


@pytest.mark.parametrize("stem", STEMS)
def test_words_lead_to_the_glossary_and_pages_to_their_neighbours(stem):
    glossary = (NOTEBOOKS / "GLOSSARY.md").read_text(encoding="utf-8")
    terms = {term.lower().replace(" ", "-") for term in re.findall(r"^#+ (.+)$", glossary, re.MULTILINE)}
    linked = re.findall(r"\]\(GLOSSARY\.md#([\w-]+)\)", markdown(stem))
    assert linked
    assert set(linked) <= terms, set(linked) - terms
    assert len(linked) == len(set(linked)), "a term is linked where it first occurs"
    texts = [cell.source for cell in cells(stem) if cell.cell_type == "markdown"]
    for cell in (texts[0], texts[-1]):
        assert "[contents](README.md)" in cell
        assert "[next: " in cell
        assert ("[previous: " in cell) == (stem != STEMS[0])


@pytest.mark.parametrize("stem", STEMS)
def test_every_figure_has_a_sentence_and_every_exercise_minutes_and_an_answer(stem):
    notebook = cells(stem)
    for number, cell in enumerate(notebook):
        pictures = [output for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        if pictures:
            assert "*Figure: " in notebook[number + 1].source, cell.source
    text = markdown(stem)
    exercises = re.findall(r"^\d\. \((\d+) minutes?\)", text[text.index("## Exercises") :], re.MULTILINE)
    assert len(exercises) == 3
    assert text.count("<details><summary>") == text.count("</details>") == 3
    answers = re.findall(r"^## Exercise (\d) .*\(.+\)$", markdown(f"solutions/{stem}"), re.MULTILINE)
    assert answers == ["1", "2", "3"]


@pytest.mark.parametrize(("stem", "lowest"), [("02_baseline", 93), ("03_skeleton", 85)])
def test_the_runs_on_file_learned(stem, lowest):
    (accuracy,) = re.findall(r"final test accuracy +([\d.]+)%", printed(stem))
    assert lowest < float(accuracy) < 99


@pytest.mark.parametrize("name", ["baseline", "skeleton", "batchnorm", "dropout", "onecycle", "augmentation"])
def test_recorded_rows_have_ten_seeds_of_one_gpu_and_seconds_of_two_cores(name):
    runs = read_study(name).runs
    assert [run.config.seed for run in runs] == list(range(10))
    assert all("NVIDIA" in run.environment.device for run in runs)
    assert read_ledger().environment.device == "cpu"
    assert read_ledger().environment.threads == 2


def test_the_recorded_baseline_comes_within_six_tenths_of_the_goal_and_does_not_overfit():
    study = read_study("baseline")
    assert 0.55 < 99.4 - 100 * study.test_accuracy.mean < 0.65
    assert all(run.history[-1].train_accuracy < run.history[-1].validation_accuracy for run in study.runs)


def skeleton_runs() -> dict[int, FinishedRun]:
    return {run.config.seed: run for run in read_study("skeleton").runs}


def test_two_recorded_skeletons_hardly_learn_and_eight_do_each_in_its_time():
    runs = skeleton_runs()
    failed, learned = (runs.pop(3), runs.pop(9)), list(runs.values())
    assert 0.3 < failed[1].final_test_accuracy < 0.37
    assert all(run.final_test_accuracy > 0.89 for run in learned)
    assert sum(run.final_test_accuracy > 0.95 for run in learned) == 6
    first = sorted(run.history[0].test_accuracy for run in learned)
    assert first[-3] > 0.9
    assert first[-4] < 0.6


def test_the_skeleton_that_learns_nothing_answers_one_to_every_digit():
    run = skeleton_runs()[3]
    assert {f"{epoch.test_accuracy:.2%}" for epoch in run.history} == {"11.35%"}
    targets = load_split("data", validation_size=50, train_size=50, seed=0).test.targets
    assert run.test_mistakes == (targets != 1).nonzero().flatten().tolist()


def test_the_skeletons_median_says_more_than_its_mean():
    baseline, skeleton = read_study("baseline"), read_study("skeleton")
    assert skeleton.test_accuracy.std > 100 * baseline.test_accuracy.std
    accuracies = sorted(run.final_test_accuracy for run in skeleton.runs)
    assert accuracies[1] < skeleton.test_accuracy.mean - 0.05 < skeleton.test_accuracy.mean + 0.05 < accuracies[2]
    middles = [median(run.final_test_accuracy for run in study.runs) for study in (baseline, skeleton)]
    assert f"{100 * (middles[0] - middles[1]):.1f}" == "2.5"
    assert max(differences(skeleton, baseline)) < -0.01
