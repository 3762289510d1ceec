"""A saved network comes back as it was, and nothing else is taken for one."""

import pytest
import torch
from safetensors.torch import save

from mnist_helpers.data.augmentation import normalise
from mnist_helpers.networks.names import MODELS, build_model
from mnist_helpers.networks.stored import WEIGHTS_FILE
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
    (tmp_path / WEIGHTS_FILE).write_bytes(save({"weight": torch.zeros(1)}))
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
