"""Does a network keep the course's rules? What is asked is what it does with images, however it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mnist_helpers.data import CLASSES
from mnist_helpers.networks.names import PARAMETER_BUDGET, count_parameters
from mnist_helpers.networks.receptive import AVERAGES, final_poolings
from mnist_helpers.networks.table import FUNCTIONS
from mnist_helpers.networks.trace import ARGUMENTS, IMAGES, INPUT_SHAPE, Call, black_images, looking, record

BLOCKS = ("input_block", "first_block", "transition_block", "second_block", "output_block")
LARGEST_DENSE_LAYER = 1_000  # parameters
BUDGET = f"fewer than {PARAMETER_BUDGET:,} parameters"
DROPOUTS = frozenset(name for name in ARGUMENTS if "dropout" in name)


@dataclass(frozen=True)
class Check:
    """One rule, whether it holds, and what was found."""

    rule: str
    passed: bool
    found: str


def required_checks(network: nn.Module) -> list[Check]:
    """Check what is asked of every network: one logit a class, and the limit on parameters; of runs, the epochs."""
    logits = check_logits(network)  # first, since it gives lazy layers their shapes
    if any(map(is_lazy, network.parameters())):
        return [Check(BUDGET, False, "layers that no image has reached"), logits]
    found = count_parameters(network)
    return [Check(BUDGET, found < PARAMETER_BUDGET, f"{found:,}"), logits]


def check_logits(network: nn.Module) -> Check:
    """Check that images (N, 1, 28, 28) become one tensor (N, 10)."""
    rule = f"one logit a class, (N, {CLASSES}) for images (N, {', '.join(map(str, INPUT_SHAPE))})"
    try:
        with looking(network):
            outputs = network(black_images(network))
    except Exception as error:  # whatever a person's own network may raise
        return Check(rule, False, f"it cannot look at them ({type(error).__name__}: {error})")
    if isinstance(outputs, Tensor):
        whole = outputs.shape[:1] == (IMAGES,)
        shape = ", ".join(["N" if whole else f"not N but {len(outputs)} for {IMAGES}", *map(str, outputs.shape[1:])])
        return Check(rule, outputs.shape == (IMAGES, CLASSES), f"({shape})")
    many = isinstance(outputs, tuple | list)
    return Check(rule, False, f"{len(outputs)} outputs" if many else f"a {type(outputs).__name__}")


def reported_checks(network: nn.Module) -> list[Check]:
    """Look for what the course's networks have and others need not: BatchNorm, dropout, how they end."""
    calls = _calls(network)
    norms = sum(call.function == "batch_norm" for call in calls)
    rates = _dropout_rates(network)
    ends = [_describe(call) for call in final_poolings(calls)]
    working = [call for call in calls if call.multiply_adds()]
    if working and working[-1].is_dense():
        ends.append(f"dense, {_parameters(working[-1]):,} parameters")
    return [
        Check("BatchNorm", norms > 0, f"applied {norms} times" if norms else "none"),
        Check("dropout", any(rates), _told(rates)),
        Check("pooling over all places or a dense layer at the end", bool(ends), ", then ".join(ends) or "neither"),
    ]


def check_structure(network: nn.Module) -> list[Check]:
    """Check the rules that make the course's final network what it is; blocks are known by their names."""
    calls, rates = _calls(network), _dropout_rates(network)
    layers = [call for call in calls if call.function in FUNCTIONS]
    starts = [index for index, call in enumerate(layers) if call.function == "conv2d"]
    groups = [[call.function for call in layers[start:end]] for start, end in pairwise(starts)]
    bare = [layers[i].place for i, group in zip(starts, groups, strict=False) if "batch_norm" not in group]
    mixed = [group for group in groups if group[1:3] != ["batch_norm", "relu"]]
    averages = [_describe(call) for call in final_poolings(calls) if call.function in AVERAGES]
    dense = max((_parameters(call) for call in calls if call.is_dense()), default=0)
    applied = tuple(dict.fromkeys(call.place.split(".")[0] for call in calls if call.place))
    listed = tuple(name for name, _ in network.named_children())
    normed = f"after {len(groups) - len(bare)} of {len(starts)} convolutions"
    normed += f", not after {', '.join(bare)}" if bare else ""
    order = ", ".join(mixed[0][:3]) if mixed else "as applied"
    named = applied if listed == BLOCKS else listed
    told = ", ".join(name.removesuffix("_block") for name in named) if named == BLOCKS else ", ".join(named)
    return [
        Check("a BatchNorm after every convolution but the last", bool(groups) and not bare, normed),
        Check("dropout, never falling from block to block", any(rates) and rates == sorted(rates), _told(rates)),
        Check("global average pooling", len(averages) == 1, ", ".join(averages) or "none"),
        Check(f"no dense layer above {LARGEST_DENSE_LAYER:,} parameters", dense <= LARGEST_DENSE_LAYER, f"{dense:,}"),
        Check("blocks in order", applied == listed == BLOCKS, told),
        Check("convolution, BatchNorm, ReLU in every group but the last", bool(groups) and not mixed, order),
        check_logits(network),
    ]


def _calls(network: nn.Module, training: bool = False) -> list[Call]:
    """Return every call that a network makes, in order."""
    with looking(network, training):
        steps = record(network, black_images(network))
    return [call for step in steps for call in step.calls]


def _dropout_rates(network: nn.Module) -> list[float]:
    """Return the rates in the order applied; a `forward` may call dropout only while it is trained."""
    for training in (False, True):
        calls = [call for call in _calls(network, training) if call.function in DROPOUTS]
        if calls:
            break
    return [call.arguments.get("p", 0.5) for call in calls]


def _told(rates: Sequence[float]) -> str:
    return f"rates {', '.join(map(str, rates))}" if rates else "none"


def _describe(call: Call) -> str:
    return f"{call.function} over {'×'.join(map(str, call.inputs[0].shape[2:]))} places"


def _parameters(call: Call) -> int:
    """Return how many numbers a dense layer learns."""
    if call.function == "linear":
        return sum(source.numel() for source in call.inputs[1:])
    return sum(source.numel() for source in call.inputs if isinstance(source, nn.Parameter))
