"""The networks to take away: loaded by name, made by today's recipes, and never half there."""

import pickle
import shutil

import pytest
import torch

from mnist_helpers.data import normalise
from mnist_helpers.handwriting import Refusal
from mnist_helpers.networks import SHARED, WEIGHTS_FILE, build_model, load, stored
from mnist_helpers.paths import resolve
from mnist_helpers.runs import RunConfig, load_weights, make_config, read_results, save_weights, write_results
from mnist_helpers.sharing import card, models
from mnist_helpers.sharing.card import run_folder
from mnist_helpers.sharing.models import SEED, main, make_weights
from mnist_helpers.sharing.onnx_export import ONNX_FILE
from mnist_helpers.training import find_mistakes


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder of its own for what is written, without any network in it."""
    for module in (stored, card, models):
        monkeypatch.setattr(module, "SHARED_FOLDER", str(tmp_path))
    return tmp_path


@pytest.fixture
def trained(monkeypatch):
    """The names of what is trained; nothing is: the weights are new ones, the results those on record."""
    names = []

    def train(network, split, config, keep_checkpoints):
        names.append(config.model)
        results = read_results(resolve("outputs/models") / config.model)
        return build_model(config.model), results.model_copy(update={"config": config})

    monkeypatch.setattr(models, "train", train)
    monkeypatch.setattr(RunConfig, "split", lambda config: None)
    return names


@pytest.mark.parametrize("name", SHARED)
def test_a_network_comes_with_its_weights_ready_to_answer(name, mnist):
    network, test = load(name), mnist[1].take(torch.arange(500))
    assert not network.training
    assert {parameter.device.type for parameter in network.parameters()} == {"cpu"}
    with torch.inference_mode():
        assert (network(normalise(test.pixels)).argmax(1) == test.targets).sum() >= 495


@pytest.mark.training
@pytest.mark.quick
@pytest.mark.parametrize("name", SHARED)
def test_the_weights_make_the_mistakes_on_record(name, mnist):
    recorded = set(read_results(run_folder(name)).test_mistakes)
    # a digit on the border may fall to the other side on another processor
    assert len(recorded ^ set(find_mistakes(load(name), mnist[1]))) <= 2


@pytest.mark.parametrize("name", SHARED)
def test_the_weights_are_of_todays_recipe_and_the_seed_that_was_fixed(name):
    config = load_weights(f"outputs/models/{name}")[1]
    assert config.seed == SEED == 0
    assert config.training_differences(make_config(model=name)) == []
    assert read_results(run_folder(name)).config == config


def test_a_name_that_does_not_exist_is_told_those_that_do(capsys):
    with pytest.raises(ValueError, match="no weights of 'bset'; there are those of final, fast, tiny, best"):
        load("bset")
    with pytest.raises(SystemExit, match="2"):
        main(["bset"])
    assert "there is no bset; there are final, fast, tiny, best" in capsys.readouterr().err


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("run when read",)


def test_what_is_no_file_of_weights_is_refused_unread(places):
    folder = places / "tiny"
    with pytest.raises(FileNotFoundError, match=r"tiny/model\.safetensors is not there; run: make models"):
        load("tiny")
    folder.mkdir()
    (folder / WEIGHTS_FILE).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=r"tiny/model\.safetensors is not a file of weights .*; run: make models"):
        load("tiny")
    save_weights(build_model("fast"), make_config(model="fast", output_dir=str(folder)), folder)
    with pytest.raises(ValueError, match=r"tiny/model\.safetensors does not fit CompactNet"):
        load("tiny")


def test_only_what_todays_recipe_did_not_make_is_trained(places, trained, monkeypatch):
    assert make_weights("fast").startswith("trained in")
    assert make_weights("fast") == "weights made by today's recipe are there"
    assert trained == ["fast"]
    make_weights("fast", again=True)
    assert trained == ["fast", "fast"]
    # a better recipe, or a network of another shape under the same name
    folder = places / "fast"
    save_weights(load("fast"), load_weights(folder)[1].model_copy(update={"max_lr": 0.1}), folder)
    make_weights("fast")
    save_weights(build_model("tiny"), load_weights(folder)[1], folder)
    make_weights("fast")
    assert len(trained) == 4
    assert load_weights(folder)[1].max_lr == make_config(model="fast").max_lr


def test_a_kill_between_results_and_weights_is_made_good(places, trained, monkeypatch):
    make_weights("fast")
    folder = places / "fast"
    save_weights(load("fast"), load_weights(folder)[1].model_copy(update={"max_lr": 0.1}), folder)
    before = (folder / WEIGHTS_FILE).read_bytes()

    def kill(_, results, folder):
        write_results(results, folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(models, "keep", kill)
        with pytest.raises(KeyboardInterrupt):
            make_weights("fast")
    assert (folder / WEIGHTS_FILE).read_bytes() == before
    assert make_weights("fast").startswith("trained in")


def test_the_final_network_is_not_trained_but_published(places, trained, capsys):
    assert main(["final", "--again"]) == 1
    assert "final/model.safetensors is not there" in capsys.readouterr().err
    folder = places / "final"
    published, config = load_weights("outputs/models/final")
    save_weights(published, config, folder)
    assert make_weights("final", again=True).startswith("the weights of the published run")
    assert not trained


@pytest.mark.training
def test_what_rests_on_the_weights_is_made_after_them(places, trained, monkeypatch, capsys):
    (places / "fast").mkdir()
    for name in (WEIGHTS_FILE, "results.json"):
        shutil.copy(resolve("outputs/models") / "fast" / name, places / "fast")
    (places / "refusal").mkdir()
    order = []
    monkeypatch.setattr(models, "calibrate", lambda again: order.append(f"thresholds {again}"))
    monkeypatch.setattr(models, "load_refusal", lambda: Refusal(build_model("tiny"), 0.0))
    monkeypatch.setattr(models.page, "main", lambda arguments: order.append("page") or 0)
    assert main(["fast"]) == 0
    assert (trained, order) == ([], ["thresholds False", "page"])
    assert {str(path.relative_to(places)) for path in places.rglob("*.*")} == {
        "fast/README.md", "fast/card.json", "fast/model.onnx", "fast/model.safetensors", "fast/results.json",
        "refusal/model.onnx",
    }  # fmt: skip
    for name in (ONNX_FILE, WEIGHTS_FILE):
        assert (places / "fast" / name).read_bytes() == (resolve("outputs/models") / "fast" / name).read_bytes()
    assert "fast: weights made by today's recipe are there" in capsys.readouterr().out
