"""What is handed in is found, checked before any work, trained where no test digit is, and goes on after a kill."""

import json
import sys
from pathlib import Path

import psutil
import pytest
from assessment.networks import GOOD, PEEKING
from sweeps.scripted import start, wait_for

from mnist_helpers.assessment.submission import make_submission, train_seeds, with_class
from mnist_helpers.assessment.workplace import Refused, ask, workplace
from mnist_helpers.data import DataError, load_mnist, load_split, load_training_images
from mnist_helpers.data.archives import MD5
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import ConfigError, load_own, load_weights
from mnist_helpers.training import find_mistakes


def hand_in(folder: Path, text: str, name: str = "net.py") -> Path:
    (file := folder / name).write_text(text)
    return file


def small(file: Path, **changes):
    return make_submission(
        f"{file}:Net", **{"seeds": 2, "train_size": 200, "output_dir": str(file.parent / "out"), **changes}
    )


BLOCK = "\n\nclass Block(nn.Sequential):\n    pass\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD, "Net"),
        (GOOD.replace("nn.Conv2d(", "Block(").replace("\n\nclass Net", BLOCK + "\n\nclass Net"), "Net"),
        (GOOD + "\n\nclass Larger(Net):\n    pass\n", "Larger"),
        (GOOD + "\n\nclass Notes:\n    pass\n", "Net"),
    ],
)
def test_the_only_network_of_a_file_is_found_without_running_it(tmp_path, text, found):
    file = hand_in(tmp_path, text + "\n1 / 0\n")
    assert with_class(file) == f"{file}:{found}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + BLOCK, r"net\.py holds Net, Block; say which: .*net\.py:ClassName"),
        ("x = 1", "holds no class; say which"),
        ("class :", "cannot be read: invalid syntax"),
        ("\0", "cannot be read: "),
    ],
)
def test_a_file_with_no_or_many_networks_is_said(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        with_class(hand_in(tmp_path, text))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"seeds": 1}, "seeds=1 is not allowed; allowed: a whole number ≥ 2, since one has no interval, and ≤ 100"),
        ({"seeds": 2.5}, "seeds=2.5 is not allowed"),
        ({"minutes": 0}, "minutes=0 is not allowed; allowed: a number > 0 and ≤ 10,000"),
        ({"minutes": float("nan")}, "minutes=nan is not allowed"),
        ({"epochs": 20}, "epochs=20 is not allowed; allowed: a whole number ≥ 1 and < 20"),
        ({"epoch": 3}, "epoch is not a parameter; allowed: model, seeds, epochs"),
        ({"model": "best"}, "model='best' is not allowed; allowed: a network of your own"),
        ({"model": "none.py:Net"}, r"none\.py cannot be read"),
    ],
)
def test_what_is_not_allowed_is_said_before_any_work(tmp_path, parameters, message):
    model = f"{hand_in(tmp_path, GOOD)}:Net"
    with pytest.raises(ConfigError, match=message):
        make_submission(**{"model": model, "output_dir": str(tmp_path / "out"), **parameters})


def test_a_recipe_moves_neither_the_data_nor_the_place(tmp_path):
    settings = '{"epochs": 3, "data_dir": "elsewhere", "output_dir": "elsewhere", "seed": 7, "device": "cpu"}'
    file = hand_in(tmp_path, GOOD.replace('{"epochs": 1, "augmentation": None}', settings))
    config = small(file).config
    assert (config.epochs, config.data_dir, config.seed, config.output_folder()) == (3, "data", 0, tmp_path / "out")


def test_a_workplace_has_the_training_archives_and_no_other_data(tmp_path):
    with workplace(f"{hand_in(tmp_path, GOOD)}:Net") as place:
        found = {path.name for path in (place / "data").rglob("*") if path.is_file()}
    assert {f"{name}.gz" for name in MD5 if name.startswith("train")} <= found
    assert all(name.removesuffix(".gz") in MD5 and name.startswith("train-") for name in found)


def test_a_recipe_that_holds_out_writers_is_refused_since_no_list_of_them_is_there(tmp_path):
    settings = '{"held_out": "writers", "fold": 0, "validation_size": 11_000}'
    file = hand_in(tmp_path, GOOD.replace('{"epochs": 1, "augmentation": None}', settings))
    message = r"held_out='writers' is not allowed in a submission, .*; allowed: 'drawn', 'last'"
    with pytest.raises(ConfigError, match=message):
        small(file)
    with workplace(f"{file}:Net") as place, pytest.raises(Refused, match=message):
        ask(place, 600, "look", settings={"model": f"{file}:Net"})


def test_training_images_load_without_the_test_archives_only_when_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("torchvision.datasets.MNIST.mirrors", [])
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in MD5:
        if name.startswith("train"):
            (raw / f"{name}.gz").symlink_to(PROJECT_ROOT / "data" / "MNIST" / "raw" / f"{name}.gz")
    assert len(load_training_images(tmp_path)) == 60_000
    split = load_split(tmp_path, 50, 100, 0, with_test=False)
    assert (len(split.train), len(split.validation), split.test) == (100, 50, None)
    for load in (load_mnist, lambda folder: load_split(folder, 50, 100, 0)):
        with pytest.raises(DataError, match="could not be downloaded"):
            load(tmp_path)


@pytest.mark.training
@pytest.mark.quick
def test_a_submission_that_peeks_finds_no_test_digit_and_is_tested_all_the_same(tmp_path, mnist):
    file = hand_in(tmp_path, PEEKING)
    submission = small(file)
    study = train_seeds(submission)
    # made for training and for the test, with each seed
    assert file.with_suffix(".log").read_text().splitlines() == ["['nothing', 'nothing']"] * 4
    file.write_text(GOOD)  # the same network, to make it without another look
    for run in study.runs:
        network, _ = load_weights(
            tmp_path / "out" / "weights" / f"seed_{run.config.seed}", load_own(f"{file}:Net")[0]()
        )
        assert run.test_mistakes == find_mistakes(network, mnist[1])
        assert run.final_test_accuracy == pytest.approx(1 - len(run.test_mistakes) / 10_000)
        assert [record.test_accuracy for record in run.history[:-1]] == [None] * (len(run.history) - 1)


@pytest.mark.training
def test_a_killed_assessment_leaves_nothing_running_and_goes_on_where_it_was(tmp_path):
    file = hand_in(tmp_path, GOOD)
    script = (
        "from mnist_helpers.assessment import make_submission, train_seeds\n"
        f"train_seeds(make_submission('{file}:Net', 3, train_size=200, output_dir='{tmp_path / 'out'}'))"
    )
    killed = start(sys.executable, "-c", script)
    wait_for(lambda: list(tmp_path.glob("out/runs/*/running/*.json")))
    children = psutil.Process(killed.pid).children(recursive=True)
    killed.kill()
    killed.communicate()
    wait_for(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))
    before = [json.loads(path.read_text()) for path in tmp_path.glob("out/runs/*/running/*.json")]
    study = train_seeds(small(file, seeds=3))
    assert [run.config.seed for run in study.runs] == [0, 1, 2]
    kept = {run.config.seed: run.history[-1].seconds for run in study.runs}
    assert all(kept[record["config"]["seed"]] == record["history"][-1]["seconds"] for record in before)


@pytest.mark.training
def test_what_takes_too_long_is_stopped_and_said_so(tmp_path):
    file = hand_in(
        tmp_path, GOOD.replace("return self.last", "import time; time.sleep(3600 * self.training); return self.last")
    )
    with pytest.raises(Refused, match=r"seed 0: stopped, its time of \d+ seconds was over; seed 1: .* was over"):
        train_seeds(small(file, minutes=0.3))


@pytest.mark.training
def test_a_process_that_ends_without_an_answer_is_said(tmp_path):
    file = hand_in(tmp_path, GOOD + "\nimport os; os._exit(3)\n")
    with workplace(f"{file}:Net") as place, pytest.raises(Refused, match=r"without an answer \(exit status 3\)"):
        ask(place, 600, "look", settings={"model": f"{file}:Net"})
