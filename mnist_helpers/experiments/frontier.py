"""How good by size: one plan from 574 to 19,546 parameters, loops, what was held to a target, and public projects.

All train on all training images but fifty, for a fixed number of epochs, and are measured on the test set after the
last: nothing here is chosen by it.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from mnist_helpers.experiments.experiment import SMALLER, Experiment
from mnist_helpers.looking import BLUE, GREEN, GREY, ORANGE, panels
from mnist_helpers.paths import resolve
from mnist_helpers.runs import FIGURES
from mnist_helpers.sweeps import Study, format_interval, format_spread, images_interval, mean_interval, read_study

PICTURE = f"{FIGURES}/frontier.png"
ONE_PLAN = tuple(f"compact_{size}" for size in (574, 1006, 1904, 2930, 3658, 5044, 7110, 19546))
LOOPED = tuple(f"looped_{width}" for width in (8, 10, 14))  # one convolution four times over
TARGETED = ("tinier", "tiny", "best")  # what became of the plan where a target was missed
FRONTIER = (*(Experiment(name, name, {"model": name}) for name in (*ONE_PLAN, *LOOPED, "tinier")), *SMALLER)


@dataclass(frozen=True)
class PublicPoint:
    """A public project's figure, one of `KINDS`, as its own log or text has it: of one run, tested every epoch."""

    project: str
    where: str
    parameters: int
    accuracy: float
    kind: str


KINDS = {"last epoch, one run": "s", "best epoch, one run": "^", "chosen by test": "v", "claimed": "x"}
LAST, BEST, CHOSEN, CLAIMED = KINDS  # chosen: of many runs at their best epochs, or pruned, by asking the test set
# read in their notebooks, logs and articles; of those that are claimed nothing shows the run
PUBLIC = (
    PublicPoint("sagarigrandhi/EVA4", "S5/Assignment_5_F7.ipynb", 9_994, 0.9960, LAST),
    PublicPoint("uday96/EVA4-TSAI", "S5/EVA4_S5_Solution_F5.ipynb", 8_500, 0.9949, LAST),
    PublicPoint("nagalakshmi-nimmagadda/MNIST-CNN-COLAB", "MNIST_Model3_Development.ipynb", 6_188, 0.9944, LAST),
    PublicPoint("nagalakshmi-nimmagadda/MNIST-CNN-COLAB", "MNIST_Model3_Development.ipynb", 6_188, 0.9954, BEST),
    PublicPoint("Shankarganesh127/TSAI_ERAv4_mnist_model_improved_S6", "logs/training.log", 4_968, 0.9942, LAST),
    PublicPoint("Shankarganesh127/TSAI_ERAv4_mnist_model_improved_S6", "logs/training.log", 4_968, 0.9945, BEST),
    PublicPoint("ruslangrimov/mnist-minimal-model", "1936/model.txt", 1_936, 0.9910, CLAIMED),
    PublicPoint("JoshWarn/Parameter-Efficient-MNIST", "best of some 700 runs", 697, 0.9903, CHOSEN),
    PublicPoint("hexhowells/NeuralGolfing", "https://hexhowells.com/posts/neural-golfing.html", 575, 0.98, CHOSEN),
    PublicPoint("EscVM/Efficient-CapsNet", "https://arxiv.org/abs/2101.12491", 161_000, 0.9974, CLAIMED),
)


def read_frontier() -> list[Study]:
    """Return the studies of all networks, the smallest first; FileNotFoundError where one is not on record."""
    return sorted((read_study(each.name) for each in FRONTIER), key=lambda study: study.parameters)


def format_frontier(studies: Sequence[Study]) -> str:
    """Return one line a network: parameters, mean ± std, both 95 % intervals, seeds."""
    header = ("", "parameters", "mean ± std", "95 % over seeds", "95 % over test sets", "seeds")
    line = "{:14s} {:>10s} {:>15s} {:>16s}  {:>19s}  {:>5s}"
    lines = [line.format(*header)]
    for study in studies:
        found = study.test_accuracy
        intervals = [format_interval(limits, sign="") for limits in (mean_interval(found), images_interval(found))]
        cells = (study.name, f"{study.parameters:,}", format_spread(found), *intervals, f"{found.n}")
        lines.append(line.format(*cells))
    return "\n".join(lines)


def format_public() -> str:
    """Return two lines a public figure: parameters, accuracy, what it is, whose; below it where it stands."""
    lines = (f"{p.parameters:7,d} {p.accuracy:.2%} {p.kind:19s} {p.project}\n{'':35s} {p.where}" for p in PUBLIC)
    return "\n".join(lines)


def plot_frontier(studies: Sequence[Study]) -> Figure:
    """Draw error against parameters: every seed, the means as a line, the public points marked as what they are."""
    figure, axis = panels(4.6)
    for study in studies:
        errors = [100 * (1 - run.final_test_accuracy) for run in study.runs]
        sizes = [study.parameters] * len(errors)
        axis.plot(sizes, errors, "o", color=BLUE, alpha=0.25, markersize=4, markeredgewidth=0)
    fewest = min(study.test_accuracy.n for study in studies)
    for names, line, markersize, what in (
        (ONE_PLAN, "-o", 6, "one plan"),
        (LOOPED, "--D", 6, "one convolution four times"),
        (TARGETED, "*", 14, "held to a target"),
    ):
        chosen = [study for study in studies if study.name in names]
        means = [100 * (1 - study.test_accuracy.mean) for study in chosen]
        label = f"here, {what}: last epoch, mean of {fewest} seeds or more (dots: each)"
        axis.plot([study.parameters for study in chosen], means, line, color=BLUE, markersize=markersize, label=label)
        for row, (study, mean) in enumerate(zip(chosen, means, strict=True)):
            # neighbours' labels one above the other
            text, place = f"{1 - mean / 100:.2%}", {"xytext": (5, 7 + 12 * (row % 2))}
            if names != ONE_PLAN:
                lower = 14 * (row % 2) * (names == TARGETED)
                text, place = f"{study.name}: {text}", {"xytext": (-8, -13 - lower), "ha": "right"}
            axis.annotate(text, (study.parameters, mean), textcoords="offset points", fontsize=8, **place)
    for kind, marker in KINDS.items():
        points = {point.parameters: 100 * (1 - point.accuracy) for point in PUBLIC if point.kind == kind}
        axis.plot(points.keys(), points.values(), marker, color=ORANGE, label=f"public: {kind}")
    axis.axhline(0.6, color=GREEN, linestyle="--", linewidth=1)
    axis.axvline(20_000, color=GREY, linestyle=":", linewidth=1)
    axis.set(
        title="Error against size", xlabel="parameters; dotted: the course's limit", xscale="log", xlim=(300, 250_000)
    )
    axis.set(ylabel="wrong on the test set (%); dashed: 99.4 % right", yscale="log")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("{x:g}")
    axis.legend(fontsize=8)
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw and print what is on record."""
    argparse.ArgumentParser(prog="python -m mnist_helpers frontier", description=__doc__).parse_args(arguments)
    studies = read_frontier()
    plot_frontier(studies).savefig(resolve(PICTURE), dpi=100)
    print(format_frontier(studies))
    return 0
