"""What notebook 08 says of the published network is what its cells print; 07 leaves what `make publish` takes."""

import re
from itertools import combinations

import pytest
import torch
from notebooks.told import cells, markdown, printed, prose
from notebooks.told import numbers as find_numbers

from mnist_helpers.data import Images, normalise, split_indices
from mnist_helpers.looking import class_maps, occlusion
from mnist_helpers.networks import load
from mnist_helpers.runs import read_results
from mnist_helpers.sweeps import read_study
from mnist_helpers.training import evaluate

STEM = "08_error_analysis"
PAGES = [STEM, "solutions/07_final_model", f"solutions/{STEM}"]
WIDEST = 88  # characters of a printed line that a page of 900 pixels holds
FIGURE = r"(-?\d+\.\d+)"


def numbers(pattern: str, text: str | None = None) -> list[float]:
    """Return the groups of the first place where `pattern` is found, by default in what 08 printed."""
    return find_numbers(pattern, printed(STEM) if text is None else text)


@pytest.mark.parametrize("stem", ["07_final_model", *PAGES])
def test_printed_lines_fit_a_page_and_figures_have_captions_and_words_for_the_blind(stem):
    for cell, after in zip(cells(stem), [*cells(stem)[1:], None], strict=True):
        for output in cell.get("outputs", []):
            # the table of epochs and the report of the rules are the helpers' own
            if "training" not in cell.metadata.get("tags", []) and "report_rules" not in cell.source:
                assert all(len(line) <= WIDEST for line in output.get("text", "").splitlines())
            if "image/png" in output.get("data", {}):
                assert output.metadata["image/png"]["alt"] == cell.metadata.alt
                assert after.source.startswith("*Figure: ")


@pytest.mark.parametrize("stem", PAGES[1:])
def test_every_exercise_has_an_answer_that_says_how_long_it_takes(stem):
    texts = [cell.source for cell in cells(stem) if cell.cell_type == "markdown"]
    answers = [text for text in texts if re.match(r"## \d\. ", text)]
    assert [text[3] for text in answers] == ["1", "2", "3"]
    for text in answers:
        assert re.search(r"(second|minute)s?\b", text), text
    assert f"](../{stem.removeprefix('solutions/')}.ipynb)" in texts[0]


def test_what_is_done_by_hand_agrees_with_the_helpers():
    verdicts = re.findall(r"(.+): (True|False)$", printed(STEM), re.MULTILINE)
    assert sum("agree" in said for said, _ in verdicts) == 4
    assert {verdict for _, verdict in verdicts} == {"True"}


def test_the_network_examined_is_the_published_one():
    (right,), (errors,) = numbers(r"([\d,]+) of 10,000 right as labelled"), numbers(r"(\d+) errors; of the 90 kinds")
    assert right == round(10_000 * read_results().final_test_accuracy) == 10_000 - errors
    ten_mended, _, high = numbers(r"ten errors mended: ([\d.]+)%, the interval of ours ([\d.]+)% to ([\d.]+)%")
    assert ten_mended < high


def test_errors_spread_thin_and_chance_is_as_uneven():
    row = r"(?m)^(\d) read as (\d): (\d+) times, the reverse (\d+)$"
    listed = [tuple(map(int, found)) for found in re.findall(row, printed(STEM))]
    (label, answer, commonest, _), *rest = listed
    assert max(count for *_, count, _ in rest) < commonest <= 5
    assert f"{label} read as {answer} is the largest single count" in prose(STEM)
    one_way, other_way = numbers(r"9 read as 4: (\d+) times, the reverse (\d+)")
    assert one_way == other_way
    others = [there + back for label, answer, there, back in listed if {label, answer} != {4, 9}]
    fewest = listed[-1][2]  # a pair that is not listed has at most this many errors each way
    assert one_way + other_way > max(*others, 2 * fewest)
    assert numbers(r"of the 90 kinds of confusion (\d+) occur")[0] < 45
    assert numbers(r"contain the accuracy of all digits: (\d+) of 10") == [10]
    assert numbers(r"errors dealt at random: (\d+)% of the time")[0] > 50


def test_the_students_digits_have_most_errors_and_the_intervals_do_not_overlap():
    row = r" +[\d,]+ +\d+ +[\d.]+% +([\d.]+)% to ([\d.]+)%"
    students, employees = numbers(f"students{row}"), numbers(f"employees{row}")
    assert students[0] > employees[1]
    assert numbers(r"on students' digits: (\d+)%")[0] > 60
    (errors,) = numbers(r"(\d+) errors; of the 90 kinds")
    assert f"5,000 held-out digits have about {errors / 2:.0f} errors" in prose(STEM)


def test_the_network_is_under_confident_at_every_level():
    rows = re.findall(r"^above +\d+% +[\d,]+ +(\d+) +(\d+)$", printed(STEM), re.MULTILINE)
    assert len(rows) == 5
    assert all(int(wrong) < int(promised) for wrong, promised in rows)
    stated, right = re.search(r"mean confidence ([\d.]+)%, accuracy ([\d.]+)%", printed(STEM)).groups()
    assert f"reads {right} % of the digits right, and its mean confidence is {stated} %" in cells(STEM)[-1].source
    assert float(stated) < float(right)
    names = ("^expected calibration error", "with 15 bins of equally many answers")
    one, other = (numbers(rf"(?m){name}: ([\d.]+) percentage points")[0] for name in names)
    assert max(one, other) < 0.5
    assert abs(one - other) < 0.1


def test_a_temperature_from_held_out_digits_makes_probabilities_truer_and_changes_no_answer():
    line = r" +test accuracy ([\d.]+)%, loss ([\d.]+), calibration error ([\d.]+) points"
    before, after = numbers(f"as it is{line}"), numbers(rf"T = [\d.]+{line}")
    assert after[0] == before[0]
    assert after[1] < before[1]
    assert after[2] < before[2]


def test_about_one_error_in_five_is_a_disputed_label_and_a_correction_adds_a_tenth_of_a_point():
    assert 15 < numbers(r"disputed digits are (\d+)% of all errors")[0] < 25
    names = ("as labelled", "without the disputed digits", "disputed digits as most people read them")
    labelled, *corrected = (numbers(rf"{name} +[\d,]+ of [\d,]+, ([\d.]+)%")[0] for name in names)
    assert all(0.05 < accuracy - labelled < 0.15 for accuracy in corrected)


def test_the_surest_errors_are_the_ones_that_are_explained(mnist):
    mistakes = mnist[1].take(torch.tensor(read_results().test_mistakes))
    with torch.no_grad():
        confidence, answers = load("final")(normalise(mistakes.pixels)).softmax(1).max(1)
    surest = confidence.argsort(descending=True)[:6]
    kinds = {f"{mistakes.targets[i]} read as {answers[i]}" for i in surest}
    assert set(re.findall(r"(?m)^- \*\*(\d read as \d)[.,]", markdown(STEM))) == kinds


def test_what_is_said_of_the_ink_of_the_surest_errors_is_what_erasing_it_changes(mnist):
    """The slices are the rows and columns of the parts that 08 names; the signs, first the answer's, what it says."""
    network, test = load("final"), mnist[1]
    mistakes = torch.tensor(read_results().test_mistakes)
    with torch.no_grad():
        confidence, answers = network(normalise(test.pixels[mistakes])).softmax(1).max(1)
    surest = confidence.argsort(descending=True)[:6]
    read, images = answers[surest], test.pixels[mistakes[surest]]
    labels = test.targets[mistakes[surest]]
    kinds = [f"{label} read as {answer}" for label, answer in zip(labels, read, strict=True)]
    by_answer, by_label = (occlusion(network, images, digits) for digits in (read, labels))
    votes, each = class_maps(network, images), torch.arange(len(kinds))
    differ = dict(zip(kinds, votes[each, read] - votes[each, labels], strict=True))

    for kind, rows, columns, signs in (
        ("5 read as 6", slice(12, 19), slice(6, 13), (1, -1)),  # the stroke at the left
        ("5 read as 6", slice(3, 7), slice(20, 27), (0, 1)),  # the flag
        ("4 read as 9", slice(7, 11), slice(15, 20), (1, -1)),  # where the loop nearly closes
        ("4 read as 9", slice(22, 26), slice(13, 21), (-1, 0)),  # the foot
        ("1 read as 2", slice(8, 12), slice(13, 17), (1, 1)),  # the upper part of the stem
        ("1 read as 2", slice(14, 18), slice(14, 17), (-1, 0)),  # its lower end
        ("1 read as 2", slice(18, 24), slice(6, 11), (1, -1)),  # the left end of the foot
        ("1 read as 2", slice(15, 19), slice(21, 26), (1, -1)),  # its right end
        ("2 read as 7", slice(9, 14), slice(8, 17), (1, -1)),  # the bar
        ("2 read as 7", slice(17, 23), slice(14, 24), (-1, 1)),  # the foot
        ("6 read as 8", slice(14, 23), slice(10, 19), (1, 1)),  # the loop
        ("6 read as 8", slice(11, 14), slice(8, 10), (1, -1)),  # the spur
        ("6 read as 8", slice(3, 9), slice(15, 22), (0, 1)),  # the long stroke
    ):
        row = kinds.index(kind)
        ink = images[row, rows, columns] > 0
        for falls, sign in zip((by_answer, by_label), signs, strict=True):  # 0: nothing is said of it
            assert not sign or sign * falls[row, rows, columns][ink].mean() > 0, (kind, rows, columns)
    assert (differ["1 read as 2"] > 0).double().mean() > 0.8
    for kind, rows, columns in (
        ("4 read as 9", slice(5, 7), slice(None)),
        ("2 read as 7", slice(5, 7), slice(3, 6)),
        ("6 read as 8", slice(0, 3), slice(4, 7)),
    ):
        assert differ[kind][rows, columns].mean() < 0, kind


def test_the_tip_of_the_4_and_the_upper_left_of_the_3_speak_against_them(mnist):
    network, test = load("final"), mnist[1]
    first = torch.stack([(test.targets == digit).nonzero()[0, 0] for digit in (3, 4)])
    with torch.no_grad():
        logits = network(normalise(test.pixels[first]))
    assert logits.argmax(1).tolist() == [3, 4]
    assert f"the network is only {100 * logits.softmax(1)[0, 3]:.0f} % sure of this 3" in prose(STEM)
    three, four = occlusion(network, test.pixels[first], test.targets[first])
    votes = class_maps(network, test.pixels[first])[0, 3]
    assert 0.25 < (votes < 0).double().mean() < 0.4
    assert votes[:3, :3].min() == votes.min()
    assert three[:14, :14].min() == three.min() < 0
    assert four[:14, 14:].min() == four.min() < 0


def test_an_untrained_network_paints_the_outline_and_not_what_the_ink_says():
    names = ("sizes, all pixels", "sizes, pixels with ink", "signed, pixels with ink")
    everywhere, ink, signed = (numbers(rf"{name} +{FIGURE}")[0] for name in names)
    assert everywhere > 0.8
    assert max(ink, signed) < 0.4


def damaged(name: str) -> tuple[list[float], list[float]]:
    """Return shares right and mean confidences in percent, by strength."""
    found = re.search(rf"^{name} .+\n  right, % (.+)\n  confidence, % (.+)$", printed(STEM), re.MULTILINE)
    right, confidence = ([float(figure) for figure in line.split()] for line in found.groups())
    return right, confidence


@pytest.mark.parametrize(("name", "most"), [("Rotation", 1), ("Shift", 3)])
def test_what_training_drew_costs_less_than_a_point(name, most):
    right, _ = damaged(name)
    assert right[0] - min(right[: most + 1]) < 1


def test_noise_breaks_the_network_and_confidence_does_not_warn():
    right, confidence = damaged("Noise")
    assert right[4] < 50
    assert right[5] < 15
    assert confidence[5] > 95
    for name, strength in (("Rotation", 5), ("Width", 0), ("Blur", 5)):
        right, confidence = damaged(name)
        assert confidence[strength] - right[strength] > 20


def test_grey_paper_is_enough_and_ink_is_not_the_problem():
    shares = dict(re.findall(r"^(.+?) +(\d+)% right, commonest answer \d$", printed(STEM), re.MULTILINE))
    assert int(shares["noise of 0.2 on the ink only"]) > 95
    assert int(shares["grey farther away"]) > 95
    assert int(shares["no noise, all paper grey (40 of 255)"]) < 30
    assert int(shares["grey within 4 pixels of the ink"]) < 70


def test_all_ten_digits_that_are_shown_on_grey_paper_are_read_as_8(mnist):
    test = mnist[1]
    drawn = split_indices(test.targets, validation_size=2_000, train_size=None, seed=0)[1]
    shown = test.pixels[drawn[:10]].clamp(min=40)
    with torch.no_grad():
        assert load("final")(normalise(shown)).argmax(1).tolist() == [8] * 10


def test_onecycle_draws_the_seeds_together_and_only_the_last_step_crosses_the_mark():
    before = [read_study(name).test_accuracy for name in ("baseline", "skeleton", "batchnorm", "dropout")]
    onecycle, final = (read_study(name).test_accuracy for name in ("onecycle", "final"))
    assert onecycle.std < min(spread.std for spread in before)
    assert onecycle.minimum > max(spread.maximum for spread in before)
    assert [run.final_test_accuracy < 0.5 for run in read_study("skeleton").runs].count(True) == 2
    assert onecycle.mean < 0.994 < final.mean


def test_the_final_notebook_leaves_the_pictures_that_are_published():
    sources = "".join(cell.source for cell in cells("07_final_model") if cell.cell_type == "code")
    for picture in ("training_curves.png", "seeds.png", "misclassified.png"):
        assert f'"{picture}", dpi=100' in sources


def test_between_ten_recorded_seeds_the_final_network_moves_half_as_far_as_an_interval_is_wide():
    width = r"largest difference between two seeds ([\d.]+) points\nwidth of the last interval ([\d.]+) points"
    seeds, interval = numbers(width, printed(PAGES[1]))
    assert 0.4 < seeds / interval < 0.6
    accuracies = [run.final_test_accuracy for run in read_study("final").runs]
    assert len(accuracies) == 10
    assert abs(100 * (max(accuracies) - min(accuracies)) - seeds) < 0.006


def test_two_seeds_often_differ_by_more_than_four_digits():
    right = [round(10_000 * run.final_test_accuracy) for run in read_study("final").runs]
    farther = [abs(one - other) > 4 for one, other in combinations(right, 2)]
    assert sum(farther) > len(farther) / 2


def test_a_temperature_of_three_quarters_cuts_the_error_to_a_quarter_and_below_0_7_it_grows():
    row = r"(?m)^ +([\d.]+) +([\d.]+)% +([\d.]+)% +([\d.]+) points +([\d.]+)"
    rows = {float(t): tuple(map(float, rest)) for t, *rest in re.findall(row, printed(PAGES[2]))}
    stated, errors, losses = ({t: found[column] for t, found in rows.items()} for column in (1, 2, 3))
    (accuracy,) = {found[0] for found in rows.values()}
    assert 0.2 < errors[0.75] / errors[1] < 0.3
    assert errors[0.7] == min(errors.values())
    assert errors[0.7] < errors[0.6] < errors[0.5]
    assert losses[0.75] == min(losses.values())
    assert stated[0.8] < stated[0.75] == accuracy < stated[0.7] < stated[0.6] < stated[0.5]


def test_white_paper_wins_back_nearly_all_that_grey_paper_cost():
    names = ("as written", "grey paper", "grey minus 40")
    before, grey, after = (numbers(rf"{name} +([\d.]+)% right", printed(PAGES[2]))[0] for name in names)
    assert 75 < after - grey < 80
    assert abs(after - before) < 0.3


def test_no_untrained_network_agrees_on_the_ink_whatever_its_seed():
    rows = re.findall(rf"(?m)^ +(\d) +{FIGURE} +{FIGURE} +{FIGURE}$", printed(PAGES[2]))
    assert [int(seed) for seed, *_ in rows] == list(range(5))
    assert {everywhere for _, everywhere, _, _ in rows} == {"0.9"}
    assert {sizes for _, _, sizes, _ in rows} == {"0.1"}
    assert all(abs(float(signed)) < 0.2 for *_, signed in rows)
    assert len({float(signed) for *_, signed in rows}) > 1


def test_the_published_network_has_not_learnt_its_digits_by_heart(mnist):
    """As 07 says: its own digits, as written, are read hardly better than new ones; in 06 two points better."""
    some = Images(mnist[0].pixels[::15], mnist[0].targets[::15])  # 4,000 of them
    own = 100 * evaluate(load("final"), some).accuracy
    assert abs(own - 100 * read_results().final_test_accuracy) < 0.4
    plain = numbers(r"plain +own digits .+difference ([\d.]+) points", printed("06_augmentation"))
    assert 1.5 < plain[0] < 3
