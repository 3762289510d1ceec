"""A photo of handwriting read: found on its paper, put into MNIST's form, read, or refused.

Uses `looking`, `runs`, `training`, `networks` and `data`.
"""

from importlib import import_module
from typing import Any

from .calibrate import calibrate
from .command import find_photos, report
from .letters import CAPITALS, MARK, Typeface, capitals
from .made import MadePage, mnist_on_paper
from .oddities import make_oddities
from .pages import PAGES, draw_page
from .paper import flatten
from .photo import Photo, PhotoError, open_photo
from .predict import predict, to_mnist
from .prepare import prepare
from .reader import NO_DIGIT, NOT_SURE, Reader, Reading, load_reader
from .refusal import Refusal, load_refusal, strangeness
from .segment import Found, Mark, find_marks
from .thresholds import Thresholds, choose_threshold, count_answers, read_thresholds
from .whole import Digit, Page, format_page, page_csv, read_page


def __getattr__(name: str) -> Any:
    if name.startswith("plot_"):  # matplotlib takes half a second, and who reads a photo from the shell draws nothing
        return getattr(import_module(".show", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
