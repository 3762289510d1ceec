"""What was tried on the way to notebook 13's networks: one change each to `compact_3658` or to its recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from mnist_helpers.experiments.experiment import Experiment
from mnist_helpers.looking import BLUE, GREEN, GREY, ORANGE, panels
from mnist_helpers.runs import COMPACT_AUGMENTATION, NO_COLOUR_NO_BLANKING
from mnist_helpers.sweeps import Spread, Study, difference, format_interval, format_spread, mean_interval, read_study

# trained on the first 50,000 training images and judged by the last 10,000: the employees among their writers wrote
# next to none of the others, but every student among them did (data/writers.py), so the judge is too kind
BASE = {"model": "compact_3658", "validation_size": 10_000, "held_out": "last", "epochs": 3}


def _idea(name: str, kind: str, change: str, **settings: Any) -> Experiment:
    return Experiment(f"idea_{name}", change, BASE | settings, range(3), kind)


UNCHANGED = _idea("unchanged", "", "as it is, three epochs")
IDEAS = (
    _idea("slanted", "input", "as written, neither upright nor sized", model="compact_slanted"),
    _idea("wide", "depth", "two wide convolutions for four", model="compact_wide"),
    _idea("thin", "depth", "five thin ones for four", model="compact_thin"),
    _idea("depthwise", "convolutions", "depthwise and 1×1, twice as wide", model="compact_depthwise"),
    _idea("shared", "convolutions", "one convolution three times over", model="compact_shared"),
    _idea("residual", "convolutions", "padded, added to their inputs", model="compact_residual"),
    _idea("squeeze", "convolutions", "+ squeeze-and-excite", model="compact_squeeze"),
    _idea("blurred", "pooling", "blurred", model="compact_blurred"),
    _idea("early_pool", "pooling", "after the first convolution", model="compact_early_pool"),
    _idea("late_pool", "pooling", "behind the last convolution", model="compact_late_pool"),
    _idea("padded", "padding", "same size up to the pooling", model="compact_padded"),
    _idea("places", "head", "learnt weights for places", model="compact_places"),
    _idea("dense", "head", "a dense layer over places", model="compact_dense"),
    _idea("taught", "training", "distilled from a network of 75,946", teacher="teacher"),
    _idea("averaged", "training", "moving average of the weights", averaging=0.99),
    _idea("adamw", "training", "AdamW, peak 0.01", optimizer="adamw", max_lr=0.01, weight_decay=0.01),
    _idea("unsmoothed", "training", "no label smoothing", label_smoothing=0),
    _idea("unwhitened", "training", "random first convolution", whitened=False),
    _idea("plain", "augmentation", "none", augmentation=None),
    _idea("unshrunk", "augmentation", "the same in every epoch", augmentation_end=1),
    _idea("stronger", "augmentation", "the final network's, without colours", augmentation=NO_COLOUR_NO_BLANKING),
    _idea("blanked", "augmentation", "the final network's", augmentation={}),
    _idea("elastic", "augmentation", "+ elastic, half a pixel", augmentation=COMPACT_AUGMENTATION | {"elastic": 0.5}),
)


@dataclass(frozen=True)
class Found:
    """What a change did: its gain in held-out accuracy against what it changes, over the seeds that both have."""

    tried: Experiment
    study: Study
    gain: Spread


def look_up(idea: Experiment) -> Found:
    """Return what the records say about an idea; FileNotFoundError where it has not been run (`make ideas`)."""
    study = read_study(idea.name)
    return Found(idea, study, difference(study, read_study(UNCHANGED.name), "validation_accuracy"))


def format_gain(gain: Spread) -> str:
    """Return a gain in points and its 95 % interval over seeds."""
    return f"{100 * gain.mean:+6.2f} {format_interval(mean_interval(gain)):>15s}"


def format_ideas(found: Sequence[Found]) -> str:
    """Return one line an idea: parameters, held-out accuracy, gain in points with its interval."""

    def line(idea: Experiment, study: Study) -> str:
        figures = f"{study.parameters:10,d} {format_spread(study.validation_accuracy):>16s}"
        return f"{idea.change:37s} {figures}"

    header = f"{'':37s} {'parameters':>10s} {'held-out':>16s} {'gain':>6s} {'95 % interval':>15s}"
    lines = [f"{line(each.tried, each.study)} {format_gain(each.gain)}" for each in found]
    return "\n".join([header, line(UNCHANGED, read_study(UNCHANGED.name)), *lines])


def plot_ideas(found: Sequence[Found]) -> Figure:
    """Draw each idea's gain in held-out accuracy and its 95 % interval, the best at the top."""
    ranked = sorted(found, key=lambda each: each.gain.mean)
    figure, axis = panels(0.3 * len(ranked) + 1.2)
    for row, each in enumerate(ranked):
        low, high = (100 * limit for limit in mean_interval(each.gain))
        colour = GREEN if low > 0 else ORANGE if high < 0 else BLUE
        axis.plot([low, high], [row, row], color=colour, linewidth=2)
        axis.plot([100 * each.gain.mean], [row], "o", color=colour)
    axis.axvline(0, color=GREY, linewidth=1)
    axis.set_yticks(range(len(ranked)), [f"{each.tried.kind}: {each.tried.change}" for each in ranked], fontsize=8)
    axis.set_title("What each change gains on the last 10,000 training digits, held out")
    axis.set_xlabel("points of accuracy against the network as it is; 95 % interval over seeds")
    return figure
