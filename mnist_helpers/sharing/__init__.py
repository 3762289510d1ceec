"""Networks to take away: weights, ONNX, a card each, and a page to draw on.

Uses `handwriting`, `looking`, `sweeps`, `runs`, `training`, `networks` and `data`.
"""

from .badges import repository
from .page import PAGE, PAGE_NETWORKS
