"""A saved network comes back as it was, and nothing else is taken for one."""

import re

import pytest
import torch
from safetensors.torch import save

from mnist_helpers import commands
from mnist_helpers.data.augmentation import normalise
from mnist_helpers.networks.names import MODELS, build_model
from mnist_helpers.networks.stored import WEIGHTS_FILE, load, pack, read_tensors, seal_weights
from mnist_helpers.runs.config import RunConfig
from mnist_helpers.runs.record import read_results
from mnist_helpers.runs.weights import load_weights, save_weights
from mnist_helpers.training.evaluation import evaluate


@pytest.mark.parametrize("model", MODELS)
def test_a_network_comes_back_as_it_was(model, tmp_path, digits):
    torch.manual_seed(1)
    network = build_model(model).eval().to(memory_format=torch.channels_last)
    save_weights(network, RunConfig(model=model, seed=7), tmp_path)
    again, config = load_weights(tmp_path)
    assert config == RunConfig(model=model, seed=7)
    assert not again.training
    inputs = normalise(digits.pixels)
    assert torch.allclose(again(inputs), network(inputs), atol=1e-5)


def test_what_is_no_network_is_refused_with_a_way_out(tmp_path):
    with pytest.raises(FileNotFoundError, match="run: make train"):
        load_weights(tmp_path)
    (tmp_path / WEIGHTS_FILE).write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ValueError, match=r"model\.safetensors is not a file of weights .*; run: make train"):
        load_weights(tmp_path)
    (tmp_path / WEIGHTS_FILE).write_bytes(pack({"weight": torch.zeros(1)}, {}))
    with pytest.raises(ValueError, match=r"not a network saved by this course \(KeyError\); run: make train"):
        load_weights(tmp_path)
    save_weights(build_model("skeleton"), RunConfig(model="final"), tmp_path)
    with pytest.raises(ValueError, match="does not fit FinalNet"):
        load_weights(tmp_path)


def test_the_published_weights_are_those_of_the_published_run(mnist):
    network, config = load_weights("outputs/models/final")
    results = read_results()
    assert config == results.config
    found = evaluate(network, mnist[1])
    # a digit on the border may fall to the other side on another processor
    assert abs(found.accuracy - results.final_test_accuracy) <= 0.0002
    assert found.loss == pytest.approx(results.final_test_loss, abs=1e-4)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    save_weights(build_model("compact_574"), RunConfig(model="compact_574"), folder)
    return folder


def test_a_damaged_byte_is_seen_wherever_it_is(saved, tmp_path):
    """One bit flipped in bytes everywhere, as memory or a disk does it, and the file cut at many lengths."""
    path = tmp_path / WEIGHTS_FILE
    data = (saved / WEIGHTS_FILE).read_bytes()
    damaged = (data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :] for i in range(0, len(data), 7))
    for broken in (*damaged, *(data[:i] for i in range(0, len(data), 211)), data[:-1], data + b" "):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"model\.safetensors .*; run: make train"):
            load_weights(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(value, tmp_path):
    network = build_model("compact_574")
    name, weight = next(iter(network.state_dict().items()))
    weight.view(-1)[0] = value
    save_weights(network, RunConfig(model="compact_574"), tmp_path)
    with pytest.raises(ValueError, match=f"holds weights that are no numbers, in {name}"):
        load_weights(tmp_path)


@pytest.mark.parametrize("given", [torch.int32, torch.float32])
def test_whole_numbers_are_no_weights_and_counts_are_whole(given, tmp_path):
    tensors = build_model("compact_574").state_dict()
    name = next(name for name, value in tensors.items() if value.is_floating_point() != given.is_floating_point)
    tensors[name] = tensors[name].to(given)
    config = RunConfig(model="compact_574").model_dump_json()
    (tmp_path / WEIGHTS_FILE).write_bytes(pack(tensors, {"config": config}))
    with pytest.raises(ValueError, match=rf"does not fit CompactNet: {re.escape(name)} is {given}"):
        load_weights(tmp_path)


def test_an_older_file_of_weights_is_given_a_digest(saved, tmp_path):
    tensors, texts = read_tensors(saved / WEIGHTS_FILE, "x")
    path = tmp_path / WEIGHTS_FILE
    path.write_bytes(save(tensors, metadata=texts))
    with pytest.raises(ValueError, match=r"has no digest.* python -m mnist_helpers seal"):
        load_weights(tmp_path)
    assert commands.seal([str(path)]) == 0
    assert not seal_weights(path), "it has a digest by now"
    assert path.read_bytes() == (saved / WEIGHTS_FILE).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"."):
        seal_weights(cut)
    assert cut.read_bytes() == path.read_bytes()[:-1]


def test_what_is_not_among_the_networks_to_take_away_is_said():
    with pytest.raises(ValueError, match=r"there are no weights of 'huge'; there are those of final, fast"):
        load("huge")
