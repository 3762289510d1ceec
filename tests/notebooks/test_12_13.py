"""What notebooks 12 and 13 build is the package's, and what they say of the records is what those say."""

import ast
import itertools
import random
import re

import numpy as np
import pytest
import torch
from notebooks.told import cells, prose
from project.test_pasted import differences
from scipy import stats

from mnist_helpers import benchmarks, experiments, looking, networks, sweeps
from mnist_helpers.data import load_writers, normalise
from mnist_helpers.experiments.judge import holm
from mnist_helpers.networks import build_model
from mnist_helpers.paths import PROJECT_ROOT
from mnist_helpers.runs import make_config
from mnist_helpers.sweeps import difference, mean_interval, read_study
from mnist_helpers.sweeps.comparison import compare_studies

STEMS = ("12_faster", "13_smaller_and_better")
JUDGES = ("validation_accuracy", "test_accuracy")


def lesson(stem: str) -> dict:
    """All that the cells of a notebook import and define, by name."""
    trees = [ast.parse(cell.source) for cell in cells(stem) if cell.cell_type == "code"]
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    kept = [node for tree in trees for node in tree.body if isinstance(node, kinds)]
    names = {"config": make_config(model="fast")}
    exec("\n".join(map(ast.unparse, kept)), names)
    return names


@pytest.fixture(scope="module")
def faster() -> dict:
    return lesson("12_faster")


@pytest.fixture(scope="module")
def smaller() -> dict:
    return lesson("13_smaller_and_better")


def gain(name: str, other: str, judge: str = "validation_accuracy"):
    return difference(read_study(name), read_study(other), judge)


# what is built

PASTED = [
    ("12_faster", "FastNet", "fast"),
    ("13_smaller_and_better", "TinyNet", "tiny"),
    ("13_smaller_and_better", "LoopedNet", "looped_10"),
]


@pytest.mark.parametrize(("stem", "name", "model"), PASTED)
def test_a_pasted_network_is_the_one_of_the_package(stem, name, model, digits):
    make = lesson(stem)[name]
    torch.manual_seed(0)
    mine = make()
    torch.manual_seed(0)
    assert differences(mine, build_model(model), normalise(digits.pixels)) == []


def test_the_freezing_line_is_the_recipes_hook(faster):
    config = make_config(model="fast")
    ours, theirs = build_model("fast"), build_model("fast")
    (hook,) = [hook for hook in config.hooks() if type(hook).__name__ == "Freezing"]
    for epoch in (1, 2, 3):
        faster["freeze"](ours, epoch)
        hook.before_epoch(theirs, epoch, config)
        learning = [[p.requires_grad for p in network.parameters()] for network in (ours, theirs)]
        assert learning[0] == learning[1]


def test_the_short_upright_is_the_layer_for_all_but_odd_digits(smaller, mnist):
    inputs = normalise(mnist[0].pixels[:2000])
    apart = (smaller["upright"](inputs) - networks.Upright()(inputs)).abs().amax((1, 2, 3))
    assert (apart < 1e-3).float().mean() > 0.85


def test_the_short_measures_and_tests_are_the_packages(smaller, mnist):
    some = mnist[0].take(torch.arange(2000))
    thickness = looking.stroke_thickness(some.pixels)
    found = [measure(thickness, some.targets, [1, 2, 10]) for measure in (smaller["alikeness"], looking.alikeness)]
    assert found[0] == pytest.approx(found[1], abs=1e-6)
    numbers = random.Random(0)
    p_values = [numbers.random() / 20 for _ in range(23)]
    assert smaller["holm"](p_values) == pytest.approx(holm(p_values))
    for _ in range(20):
        one, other = (numbers.sample(range(60), numbers.randint(0, 20)) for _ in range(2))
        mine, helper = smaller["mcnemar"](one, other), sweeps.mcnemar(one, other)
        assert mine[:2] == helper[:2]
        assert mine[2] == pytest.approx(helper[2])


def test_the_short_sign_flips_are_the_packages_and_no_p_is_printed_as_zero(smaller):
    for one, other in (("best", "compact_19546"), ("compact_3658", "compact_2930")):
        helper = compare_studies(read_study(one), read_study(other))
        by_seeds, by_images = smaller["two_questions"](read_study(one), read_study(other))
        assert by_seeds == pytest.approx(helper.seeds_p, abs=1e-9)
        assert by_images == pytest.approx(helper.images_p, abs=0.02)
    assert smaller["shown"](0.0004) == "< 0.001"
    assert smaller["shown"](0.0416) == "0.042"


def test_the_short_bias_and_ranks_are_the_packages(smaller):
    for found in experiments.read_judges():
        bias, ranks = smaller["bias_and_ranks"](found.held_out, found.test)
        assert bias == pytest.approx(found.bias.mean)
        assert ranks == pytest.approx(found.correlation)
        alone = [smaller["bias_and_ranks"](found.held_out[:, [s]], found.test[:, [s]])[1] for s in range(10)]
        assert np.mean(alone) == pytest.approx(found.alone)


def test_three_seeds_never_convince_the_sign_flip_test(smaller):
    assert smaller["sign_flip"]([0.1, 0.2, 0.3]) == 0.25


# the pages


@pytest.mark.parametrize("stem", STEMS)
def test_every_figure_has_alt_text_and_a_caption_and_the_end_has_three_questions(stem):
    for cell, following in itertools.pairwise(cells(stem)):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert output.metadata["image/png"]["alt"] == cell.metadata.alt
                assert following.source.startswith("*Figure: ")
    last = cells(stem)[-1].source
    assert last.count("<details><summary>") == last.count("</details>") == 3
    assert f"(solutions/{stem}.ipynb)" in last


@pytest.mark.parametrize("stem", STEMS)
def test_printed_lines_fit_a_page_and_no_p_is_zero(stem):
    # the table of epochs is as wide as a training prints it
    shown = [cell for cell in cells(stem) if "training" not in cell.metadata.get("tags", [])]
    texts = [output.text for cell in shown for output in cell.get("outputs", []) if "text" in output]
    lines = [line for text in texts for line in text.splitlines()]
    assert max(map(len, lines)) <= 88
    assert not any(re.search(r"p.*\b0\.000\b", line) for line in lines)


# 12: where the time goes


def times(version: str, *parts: str) -> float:
    found = benchmarks.read_profiles().versions[version]
    return sum(found.shares[part] for part in parts) * found.microseconds_per_image


def test_convolutions_save_most_dropout_is_second_and_batchnorm_saves_least():
    groups = (
        ("convolution, forward", "convolution, backward"),
        ("dropout",),
        ("pooling",),
        ("BatchNorm", "the rest"),
    )
    saved = [times(benchmarks.PLAIN_STEP, *parts) - times(benchmarks.FINAL_STEP, *parts) for parts in groups]
    assert saved == sorted(saved, reverse=True)


def test_the_layout_saves_a_seventh_and_the_layers_made_for_it_a_quarter_more():
    names = ("batched augmentation", "+ channels last", "+ fast BatchNorm and dropout")
    before, alone, together = (benchmarks.read_benchmark().epoch[name].median_seconds for name in names)
    assert 1 - alone / before == pytest.approx(1 / 7, abs=0.02)
    assert 1 - together / alone == pytest.approx(1 / 4, abs=0.02)
    assert "about a seventh shorter" in prose(STEMS[0])
    assert "shorter again by about a quarter" in prose(STEMS[0])


def test_bfloat16_takes_longer_without_a_unit_for_it_and_less_time_on_a_gpu():
    convolving = ("convolution, forward", "convolution, backward")
    short, long = (times(version, *convolving) for version in (benchmarks.BFLOAT16_STEP, benchmarks.FAST_STEP))
    assert 11 < short / long < 12
    assert "The convolutions take more than eleven times as long" in prose(STEMS[0])
    tried = experiments.read_speedups().steps
    assert 6 < tried["speed_bfloat16"].median_seconds / tried["speed_fast"].median_seconds < 7
    assert "more than six times the seconds" in prose(STEMS[0])
    gpu = benchmarks.benchmark.Trainings.read().runs
    saved = 1 - gpu[benchmarks.BFLOAT16_RUN].median_seconds / gpu[benchmarks.FAST_RUN].median_seconds
    assert saved == pytest.approx(1 / 3, abs=0.05)
    assert "saves a third of the time on a GPU" in prose(STEMS[0])


def test_two_changes_save_nearly_all_of_the_time_and_freezing_some_more():
    seconds = [experiments.read_speedups().steps[step.name].median_seconds for step in experiments.STEPS]
    names = [step.name for step in experiments.STEPS[1:]]
    shares = dict(zip(names, (later / earlier for earlier, later in itertools.pairwise(seconds)), strict=True))
    assert sorted(shares, key=shares.get)[:2] == ["speed_strided", "speed_hurried"]
    assert max(shares["speed_strided"], shares["speed_hurried"]) < 0.3
    assert shares["speed_frozen"] < 0.85
    turns = [each.seconds for each in experiments.read_speedups().steps.values()]
    apart = max(max(abs(one / np.median(taken) - 1) for one in taken) for taken in turns)
    assert f"the seconds of one training lie up to {100 * apart:.0f} % from their median" in prose(STEMS[0])
    assert all(abs(shares[name] - 1) < apart for name in ("speed_smoothed", "speed_whitened"))


def test_the_short_run_costs_accuracy_and_smoothing_and_whitening_win_a_part_back():
    assert gain("speed_hurried", "speed_gentler").maximum < 0
    assert gain("speed_strided", "speed_final").minimum > 0
    lost = -gain("speed_hurried", "speed_gentler").mean
    assert 0 < gain("speed_whitened", "speed_hurried").mean < lost
    frozen = mean_interval(gain("speed_frozen", "speed_whitened"))
    assert frozen[0] < 0 < frozen[1]


def test_the_two_judges_disagree_on_augmentation():
    held_out = mean_interval(gain("speed_plain", "speed_fast"))
    assert held_out[0] < 0 < held_out[1]
    assert gain("speed_plain", "speed_fast", "test_accuracy").maximum < 0
    assert gain("speed_gentler", "speed_strided").mean > 0
    assert gain("speed_gentler", "speed_strided", "test_accuracy").maximum < 0


def test_what_was_tried_beside_fast_costs_what_the_list_says():
    seconds = {name: each.median_seconds for name, each in experiments.read_speedups().steps.items()}
    assert (
        seconds["speed_batch_128"] > seconds["speed_fast"] > seconds["speed_batch_384"] > 0.85 * seconds["speed_fast"]
    )
    assert max(seconds[f"speed_{name}"] for name in ("two_epochs", "never_learns")) < seconds["speed_fast"]
    for name in ("never_learns", "two_epochs"):
        assert gain(f"speed_{name}", "speed_fast").mean < 0
    low, high = mean_interval(gain("speed_bfloat16", "speed_fast"))
    assert low < 0 < high


def interval(found) -> tuple[float, float]:
    return mean_interval(found.gain)


def test_by_other_writers_only_the_short_run_is_shown_to_cost():
    steps = experiments.STEPS_AGAIN[1:]
    verdicts = experiments.read_verdicts((*steps, *experiments.TRIED_AGAIN))
    by_name = {found.tried.name.removeprefix("writers_speed_"): (found, p) for found, p in verdicts}
    assert [name for name, (_, p) in by_name.items() if p < 0.05] == ["hurried"]
    hurried, p = by_name["hurried"]
    assert hurried.gain.maximum < 0
    assert p == pytest.approx(len(verdicts) * 2 / 2**10)
    assert f"{p:.3f} is the smallest p-value that there can be" in prose(STEMS[0])
    assert f"about {-100 * hurried.gain.mean:.2f} points, in all ten runs" in prose(STEMS[0])
    assert {found.gain.n for found, _ in by_name.values()} == {10}
    below = {name for name, (found, _) in by_name.items() if interval(found)[1] < 0}
    assert below == {"hurried", "fast", "two_epochs"}
    assert not any(interval(found)[0] > 0 for found, _ in by_name.values())
    assert "The other five steps cannot be told" in prose(STEMS[0])
    assert len(steps) - 2 == 5


def test_seed_0_went_badly_from_label_smoothing_on_and_with_large_batches():
    names = [step.name for step in experiments.STEPS_AGAIN]
    assert [name for name in names if "smoothed" in name] == names[4:5]
    for name in (*names[4:], "writers_speed_batch_384"):
        first, *others = [run.history[-1].validation_accuracy for run in read_study(name).runs]
        assert first < min(others) - 0.004, name
    first, *others = [run.history[-1].validation_accuracy for run in read_study(names[3]).runs]
    assert first > min(others)


def test_other_writers_cannot_tell_what_augmentation_gains_for_fast():
    found = gain("writers_speed_plain", "writers_speed_fast")
    low, high = mean_interval(found)
    said = f"augmentation {100 * found.mean:+.2f} points, with an interval from {100 * low:+.2f} to {100 * high:+.2f}"
    assert said.replace("-", "−") in prose(STEMS[0])
    gains = sweeps.differences(read_study("writers_speed_plain"), read_study("writers_speed_fast"), JUDGES[0])
    assert sum(gains[1:]) < 0 < gains[0]
    low, high = mean_interval(gain("writers_speed_gentler", "writers_speed_strided"))
    assert low < 0 < high


def test_on_a_gpu_the_text_says_what_the_record_does():
    gpu, said = benchmarks.benchmark.Trainings.read(), prose(STEMS[0])
    seconds = {name: each.median_seconds for name, each in gpu.runs.items()}
    fast, reached = seconds[benchmarks.FAST_RUN], gpu.reached[benchmarks.FAST_RUN].test_accuracy
    assert (
        f"takes {fast:.2f} seconds** there once the process is warm, with {reached.mean:.2%}".replace("%", " %")
        in said
    )
    shorter, numbers = gpu.reached[benchmarks.BFLOAT16_RUN].test_accuracy, seconds[benchmarks.BFLOAT16_RUN]
    assert f"takes {numbers:.2f} seconds** and reads as many digits: {shorter.mean:.2%}".replace("%", " %") in said
    assert numbers < 0.5
    assert mean_interval(shorter)[0] > 0.994
    assert reached.n == shorter.n == 10
    assert f"`sprint` takes {seconds[benchmarks.SPRINT_RUN]:.2f} seconds" in said
    start, _, first = (each for name, each in seconds.items() if name.startswith("cold: "))
    assert first > 2 * fast
    assert start > sum(seconds.values()) - start
    assert 0.85 < gpu.runs[benchmarks.FAST_RUN].ratios[benchmarks.PEER_RUN] < 1
    peer = gpu.reached[benchmarks.PEER_RUN]
    assert round(peer.parameters / gpu.reached[benchmarks.FAST_RUN].parameters) == 11
    assert peer.test_accuracy.mean < reached.mean
    steps = {192: make_config(model="fast").epochs * 59_950 / 192, 256: 59_950 / 256}
    assert steps[256] / steps[192] == pytest.approx(1 / 4)


def test_a_second_thread_saves_a_quarter_and_batches_beyond_512_nothing():
    growth = {name: each.median_seconds for name, each in benchmarks.read_benchmark().growth.items()}
    assert growth["2 threads"] / growth["1 threads"] == pytest.approx(3 / 4, abs=0.02)
    assert growth["batches of 1024"] == pytest.approx(growth["batches of 512"], rel=0.05)
    assert growth["batches of 256"] > 1.1 * growth["batches of 512"]


def test_of_the_targets_of_12_only_the_ten_seconds_are_missed():
    bench = benchmarks.read_benchmark()
    fast, peer = bench.runs[benchmarks.FAST_RUN], bench.runs[benchmarks.PEER_RUN]
    assert fast.median_seconds > 10
    assert "Everything is reached but the ten seconds" in prose(STEMS[0])
    assert fast.ratios[benchmarks.REFERENCE_RUN] <= 1 / 100
    assert bench.reached[benchmarks.FAST_RUN].test_accuracy.mean > 0.994
    assert 1 < fast.ratios[benchmarks.PEER_RUN] < 1.2  # "a little longer"
    wrong = [1 - bench.reached[name].test_accuracy.mean for name in (benchmarks.PEER_RUN, benchmarks.FAST_RUN)]
    assert wrong[0] / wrong[1] == pytest.approx(2, abs=0.1)
    assert peer.median_seconds < fast.median_seconds < bench.runs[benchmarks.BFLOAT16_RUN].median_seconds / 6


# 13: ideas, comparisons, sizes


def test_three_quarters_of_the_errors_are_on_the_digits_of_students():
    _, by_student = load_writers()
    for name in ("compact_1904", "tiny", "best"):
        wrong = [image for run in read_study(name).runs for image in run.test_mistakes]
        assert 0.7 < by_student[wrong].double().mean() < 0.8


@pytest.fixture(scope="module")
def intervals() -> dict[str, list[tuple[float, float]]]:
    """Of each idea, the interval of its gain by held-out and by test digits."""
    return {
        idea.name: [mean_interval(gain(idea.name, experiments.UNCHANGED.name, judge)) for judge in JUDGES]
        for idea in experiments.IDEAS
    }


def test_no_idea_shows_a_gain_and_the_plans_parts_are_likely_worth_it(intervals):
    assert not any(low > 0 for both in intervals.values() for low, _ in both)
    worse = {name.removeprefix("idea_") for name, both in intervals.items() if all(high < 0 for _, high in both)}
    assert worse == {"slanted", "wide", "residual", "late_pool", "padded"}


def test_what_the_judges_disagree_on_and_what_augmentation_does(intervals):
    for name in ("dense", "taught", "unsmoothed"):
        (_, high), (low, other_high) = intervals[f"idea_{name}"]
        assert high < 0 < other_high
        assert (low + other_high) / 2 > -0.0005
    for idea in experiments.IDEAS:
        if idea.kind == "augmentation":
            assert all(low < 0 < high for low, high in intervals[idea.name]), idea.name


def test_after_holms_correction_no_verdict_is_left():
    unchanged = read_study(experiments.UNCHANGED.name)
    for judge in JUDGES:
        gains = [sweeps.differences(read_study(idea.name), unchanged, judge) for idea in experiments.IDEAS]
        assert min(holm([stats.ttest_1samp(each, 0).pvalue for each in gains])) > 0.05


def test_what_the_text_says_of_the_three_judges():
    drawn, last, writers = experiments.read_judges()
    assert writers.bias.mean > max(drawn.bias.mean, last.bias.mean)
    assert all(mean_interval(each.bias)[0] > 0 for each in (drawn, last, writers))
    assert drawn.correlation == last.correlation == pytest.approx(1) == max(drawn.interval)
    assert writers.correlation < 1 == pytest.approx(writers.interval[1])
    orders = [stats.rankdata(errors.mean(1)) for errors in (writers.held_out, writers.test)]
    exchanged = orders[0] != orders[1]
    assert exchanged.sum() in (2, 3)
    assert np.ptp(writers.held_out.mean(1)[exchanged]) < 0.0005
    alone = {
        each.way: [stats.spearmanr(each.held_out[:, seed], each.test[:, seed]).statistic for seed in range(10)]
        for each in (drawn, last, writers)
    }
    gains = [np.subtract(alone["writers"], alone[way]) for way in ("drawn", "last")]
    assert min(each.mean() for each in gains) > 0
    by_drawn, by_last = holm([sweeps.sign_flip_p(each) for each in gains])
    assert by_last < 0.05 < by_drawn


@pytest.fixture(scope="module")
def verdicts() -> dict:
    """Of each idea by its short name: what other writers found, and the corrected p."""
    found = experiments.read_verdicts(experiments.IDEAS_AGAIN)
    return {each.tried.name.removeprefix("writers_"): (each, p) for each, p in found}


def test_by_other_writers_three_ideas_are_shown_to_be_worse_and_none_to_be_better(verdicts):
    shown = {name for name, (_, p) in verdicts.items() if p < 0.05}
    assert shown == {"wide", "residual", "late_pool"}
    assert all(found.gain.n == 10 for found, _ in verdicts.values())
    for name in shown:
        found, p = verdicts[name]
        assert found.gain.maximum < 0
        assert p == pytest.approx(len(verdicts) * 2 / 2**10)
    failed = sorted(run.history[-1].validation_accuracy for run in verdicts["residual"][0].study.runs)[:3]
    assert "two of its ten runs fail, with held-out accuracies of {:.0f} and {:.0f} %".format(
        *(100 * accuracy for accuracy in failed[:2])
    ) in prose(STEMS[1])
    assert failed[2] > 0.98
    assert f"The mean of the lowest row, {100 * verdicts['residual'][0].gain.mean:+.2f},".replace("-", "−") in prose(
        STEMS[1]
    )


def test_what_is_likely_and_what_turned_is_what_the_text_lists(verdicts, intervals):
    worse = {name for name, (found, p) in verdicts.items() if interval(found)[1] < 0 and p >= 0.05}
    assert worse == {"slanted", "padded", "early_pool", "places", "unshrunk"}
    for name in worse:
        assert (f"{verdicts[name][1]:.3f}" == "0.078") == (name in {"slanted", "padded", "early_pool"})
    assert {name for name, (found, _) in verdicts.items() if interval(found)[0] > 0} == {"shared"}
    turned = {
        name
        for name, (found, p) in verdicts.items()
        if p >= 0.05 and interval(found)[0] <= 0 <= interval(found)[1] and intervals[f"idea_{name}"][0][1] < 0
    }
    assert turned == {"depthwise", "dense", "taught", "adamw", "unsmoothed"}
    slanted = verdicts["slanted"][0]
    base = read_study("writers_unchanged")
    assert sum(each < 0 for each in sweeps.differences(slanted.study, base, JUDGES[0])) == 9
    assert f"worse by {-100 * slanted.gain.mean:.2f} points on the mean, in nine of ten runs" in prose(STEMS[1])
    worse_then = [name for name, both in intervals.items() if both[0][1] < 0]
    assert len(worse_then) == 11
    assert "three seeds eleven ideas looked worse" in prose(STEMS[1])


def test_the_hint_is_no_proof_and_stores_less(verdicts):
    found, p = verdicts["shared"]
    assert f"{100 * interval(found)[0]:.2f}" == "0.00"
    assert f"Now it gains {100 * found.gain.mean:.2f} points" in prose(STEMS[1])
    assert p > 0.5
    assert found.study.parameters < read_study("writers_unchanged").parameters


def test_the_looped_networks_do_what_the_text_says():
    low, high = mean_interval(read_study("looped_10").test_accuracy)
    assert 0.99 <= low < high
    assert sweeps.images_interval(read_study("looped_10").test_accuracy)[0] < 0.99
    found = {
        (one, other): compare_studies(read_study(one), read_study(other))
        for one, other in (("looped_8", "compact_1006"), ("looped_10", "compact_1006"))
    }
    same, better = found.values()
    assert same.seeds_p > 0.05
    assert max(better.seeds_p, better.images_p) < 0.01
    work = {
        name: sum(row.multiply_adds for row in networks.layer_table(build_model(name)))
        for name in ("looped_10", "tiny")
    }
    assert work["looped_10"] > work["tiny"]
    for name in experiments.LOOPED:
        assert {run.environment.device for run in read_study(name).runs} != {"cpu"}
    for name in experiments.ONE_PLAN:
        assert {run.environment.device for run in read_study(name).runs} == {"cpu"}


@pytest.fixture(scope="module")
def aims() -> dict[str, tuple]:
    """Of each candidate that is held against another: what it did, and its corrected p."""
    asked = [each for each in experiments.CANDIDATES if each.name in experiments.AIMS_AGAINST]
    found = experiments.read_verdicts(asked, experiments.AIMS_AGAINST)
    return {each.tried.name.removeprefix("writers_"): (each.gain, p) for each, p in found}


def test_the_order_by_other_writers_is_the_order_of_the_sizes_with_three_exceptions():
    candidates = [read_study(each.name) for each in experiments.CANDIDATES if each.kind == experiments.SMALLER]
    by_size = sorted(candidates, key=lambda study: study.parameters)
    worse = [
        (more.parameters, few.parameters)
        for few, more in itertools.pairwise(by_size)
        if more.validation_accuracy.mean < few.validation_accuracy.mean
    ]
    assert worse == [(973, 901), (1_869, 1_260), (2_425, 2_264)]
    for one, other in worse:
        assert f"{one:,} are worse than {other:,}" in prose(STEMS[1]).replace("973 parameters are", "973 are")


def test_muon_is_better_in_two_epochs_and_what_makes_them_cheaper_is_not_shown_to_cost(aims):
    gain, p = aims["muon_two_epochs"]
    assert gain.n == 10
    one_digit = 1 / 11_000
    assert -1.1 * one_digit < gain.minimum < 0
    found = sweeps.differences(
        *(read_study(f"writers_{name}") for name in ("muon_two_epochs", "speed_two_epochs")), JUDGES[0]
    )
    assert sum(each > 0 for each in found) == 9
    assert p < 0.05
    assert aims["muon"][0].mean > 0.001
    assert min(aims[name][1] for name in ("muon", "muon_plain", "muon_frozen")) > 0.05
    assert max(aims[name][0].mean for name in ("muon_plain", "muon_frozen")) < 0
    for name in ("strided", "strided_muon"):
        assert aims[name][0].mean < 0
        assert aims[name][1] < 0.05
    low = {
        name: mean_interval(read_study(name).test_accuracy)[0] for name in ("muon_two_epochs", "muon_frozen", "fast")
    }
    assert {name for name, end in low.items() if end > 0.994} == {"muon_two_epochs", "fast"}
    assert read_study("muon_frozen").test_accuracy.mean > 0.994
    assert f"the interval begins at {100 * low['muon_frozen']:.2f} %" in prose(STEMS[0])


def test_muon_in_two_epochs_takes_less_time_than_fast_in_each_turn():
    sooner = experiments.Sooner.read()
    runs = {name.removeprefix("writers_"): found for name, found in sooner.runs.items()}
    fast = runs["speed_fast"].seconds
    assert len(fast) == 8
    assert all(ours < its for ours, its in zip(runs["muon_two_epochs"].seconds, fast, strict=True))
    share = {name: found.ratios["writers_speed_fast"] for name, found in runs.items()}
    assert share["muon_frozen"] < share["muon_plain"] < share["muon_two_epochs"]


def test_more_uses_and_set_filters_are_worse_and_990_parameters_do_not_hold_99(aims):
    for name in ("looped_901", "looped_973", "looped_1869", "looped_2425", "looped_14"):
        assert aims[name][0].mean < 0
        assert aims[name][1] < 0.05
    assert aims["looped_901"][0].mean == pytest.approx(-1 / 300, abs=3e-4)
    named, p = aims["looped_980"]
    assert named.mean == pytest.approx(0.001, abs=3e-4)
    assert p < 0.05
    assert mean_interval(read_study("looped_980").test_accuracy)[1] < 0.99
    smaller = [read_study(each.name) for each in experiments.CANDIDATES if each.kind == experiments.SMALLER]
    within = [study for study in smaller if study.parameters <= 990]
    assert len(within) == 3
    assert max(within, key=lambda study: study.validation_accuracy.mean).name == "writers_looped_980"


def test_four_ideas_do_not_make_best_better():
    asked = [each for each in experiments.CANDIDATES if each.name in experiments.AGAINST_BEST]
    verdicts = experiments.read_verdicts(asked, experiments.AGAINST_BEST)
    assert [found.gain.n for found, _ in verdicts] == [10] * 4
    assert all(p > 0.05 and low < 0 < high for found, p in verdicts for low, high in [interval(found)])
    first = max(verdicts, key=lambda verdict: verdict[0].study.validation_accuracy.mean)[0].tried
    assert first.name == "writers_best_muon_elastic"
    tested, best = read_study("best_muon_elastic"), read_study("best")
    assert tested.parameters == best.parameters
    assert {run.environment.device for study in (tested, best) for run in study.runs} == {"cpu"}
    found = compare_studies(tested, best)
    assert found.difference.mean < 0
    assert min(found.seeds_p, found.images_p) > 0.05
    assert f"beyond {100 * best.test_accuracy.mean:.2f} %" in prose(STEMS[1])
    text = (PROJECT_ROOT / "outputs" / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    low, high = mean_interval(tested.test_accuracy)
    assert f"reaches {sweeps.format_spread(tested.test_accuracy)} of the test digits" in text
    assert f"(ten seeds, {100 * low:.2f} to {100 * high:.2f} %)" in text


def test_the_comparisons_of_sizes_say_what_the_text_says():
    plan = [read_study(name) for name in experiments.ONE_PLAN]
    found = [compare_studies(larger, smaller) for smaller, larger in itertools.pairwise(plan)]
    assert all(max(each.seeds_p, each.images_p) < 0.01 for each in (*found[:3], found[4]))
    assert all(min(each.seeds_p, each.images_p) > 0.1 for each in (found[3], found[5]))
    assert found[6].seeds_p < 0.01 < found[6].images_p < 0.05
    best, tiny, tinier = (
        compare_studies(read_study(one), read_study(other))
        for one, other in (("best", "compact_19546"), ("tiny", "compact_3658"), ("tinier", "compact_2930"))
    )
    assert best.seeds_p < 0.01 < best.images_p < 0.05
    assert tiny.seeds_p < 0.05 < tinier.seeds_p


def test_an_interval_over_test_sets_is_wider_than_one_over_seeds():
    for study in experiments.read_frontier():
        (low, high), (lower, higher) = mean_interval(study.test_accuracy), sweeps.images_interval(study.test_accuracy)
        assert higher - lower > high - low
