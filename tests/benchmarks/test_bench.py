"""What the benchmark counts and compares."""

import pytest
import torch

from mnist_helpers.benchmarks import FAST_STEP, read_benchmark, read_profiles, trainings
from mnist_helpers.benchmarks.benchmark import main_gpu
from mnist_helpers.benchmarks.profiles import FROZEN_STEP, PARTS, REST, VERSIONS, measure_profile
from mnist_helpers.benchmarks.trainings import (
    BFLOAT16_RUN,
    FAST_RUN,
    PEER_RUN,
    REFERENCE_RUN,
    SPRINT_RUN,
    peer_network,
    train_mnist_fast,
)
from mnist_helpers.data import normalise
from mnist_helpers.networks import build_model, count_parameters, layer_table
from mnist_helpers.training import evaluate


@pytest.mark.training
def test_the_peer_is_the_published_network_and_learns(mnist):
    images = mnist[0].take(torch.arange(4_000))
    network = train_mnist_fast(normalise(images.pixels), images.targets, seed=0)
    assert count_parameters(network) == count_parameters(peer_network()) == 215_194
    assert evaluate(network, mnist[1]).accuracy > 0.8


def test_the_fast_networks_work_is_where_its_doc_says():
    by_layer = {row.name: row.multiply_adds for row in layer_table(build_model("fast"))}
    assert by_layer["stem.0"] == 16 * 16 * 14 * 14
    assert by_layer["first_block.0"] == 16 * 32 * 9 * 12 * 12
    assert by_layer["second_block.0"] == 32 * 32 * 9 * 4 * 4
    assert by_layer["classifier.1"] == 512 * 10


@pytest.mark.training
def test_a_profile_counts_the_whole_step_and_every_part_of_it():
    found = measure_profile(FAST_STEP)
    assert abs(sum(found.shares.values()) - 1) < 0.01
    without = {"dropout"}  # this network has none
    assert all(found.shares[part] > 0 for part in set(PARTS) - without)
    assert found.shares[REST] < 0.5
    frozen = measure_profile(FROZEN_STEP)
    assert frozen.shares["convolution, backward"] < found.shares["convolution, backward"]


def test_the_recorded_profiles_are_of_all_versions():
    assert list(read_profiles().versions) == list(VERSIONS)


def test_the_recorded_benchmark_keeps_what_the_course_promises():
    found = read_benchmark()
    fast, sprint = (found.runs[name] for name in (FAST_RUN, SPRINT_RUN))
    assert len(fast.seconds) >= 10
    assert fast.ratios[REFERENCE_RUN] <= 1 / 100
    assert sprint.ratios[PEER_RUN] <= 1 / 2
    assert found.reached[FAST_RUN].test_accuracy.mean >= 0.994
    assert found.reached[BFLOAT16_RUN].test_accuracy.mean >= 0.994
    assert found.reached[SPRINT_RUN].test_accuracy.mean >= 0.99
    assert found.reached[SPRINT_RUN].parameters <= found.reached[PEER_RUN].parameters / 10
    assert found.arithmetic.share >= 0.3
    assert found.peak_memory_bytes <= 1.5e9


@pytest.mark.training
def test_a_device_is_measured_from_a_process_start_to_warm_trainings():
    """On the CPU here, with few images; `make bench-gpu` does it on a GPU, with all."""
    found = list(trainings.measure_device(torch.device("cpu"), 600, repeat=0))
    names = {trainings.STARTED, trainings.UPLOADED, trainings.FIRST, *trainings.WHOLE, PEER_RUN}
    assert {taken.name for taken in found} == names
    assert len(found) == len(names)
    assert all(taken.seconds > 0 for taken in found)
    trained = {taken.name: taken.test_accuracy for taken in found if taken.test_accuracy is not None}
    assert all(0.05 < accuracy < 1 for accuracy in trained.values())
    assert set(trainings.reached({taken.name: [taken] for taken in found})) == set(trained)
    assert set(trained) == {*trainings.WHOLE, PEER_RUN}


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_without_a_gpu_its_benchmark_says_so(capsys):
    assert main_gpu([]) == 2
    assert "there is no GPU" in capsys.readouterr().err
