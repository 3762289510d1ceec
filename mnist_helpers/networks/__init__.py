"""Networks: the course's by name, the layers they are made of, and what can be told of any network by looking.

Uses `data` (how many classes there are, what black is); no other room.
"""

from .compact import CompactNet, pooling_layers
from .fast import FastNet
from .final import FinalNet
from .layers import fast_form
from .names import COMPACT, LOOPED, MODELS, PARAMETER_BUDGET, BaselineNet, build_model, count_parameters
from .report import report_parameters, report_rules
from .rules import check_logits
from .stored import (
    PUBLISHED,
    SHARED,
    SHARED_FOLDER,
    WEIGHTS_FILE,
    fill,
    load,
    pack,
    read_tensors,
    read_texts,
    seal_weights,
)
from .table import WINDOWED, Layer, format_layer_table, layer_table, trace, training_multiply_adds
from .upright import Upright
from .views import Views, together
