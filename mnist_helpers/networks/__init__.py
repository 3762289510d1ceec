"""Networks: the course's by name, the layers they are made of, and what can be told of any network by looking.

Uses `data` (how many classes there are, what black is); no other room.
"""

from mnist_helpers.networks.baseline import BaselineNet
from mnist_helpers.networks.compact import CompactNet, pooling_layers
from mnist_helpers.networks.fast import FastNet
from mnist_helpers.networks.final import FinalNet
from mnist_helpers.networks.layers import fast_form
from mnist_helpers.networks.names import MODELS, PARAMETER_BUDGET, build_model, count_parameters
from mnist_helpers.networks.report import report_parameters, report_rules
from mnist_helpers.networks.sizes import COMPACT
from mnist_helpers.networks.table import (
    INPUT_SHAPE,
    WINDOWED,
    Layer,
    format_layer_table,
    layer_table,
    trace,
    training_multiply_adds,
)
from mnist_helpers.networks.upright import Upright
from mnist_helpers.networks.views import Views, together
