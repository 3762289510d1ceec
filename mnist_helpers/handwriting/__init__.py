"""A photo of handwriting read: found on its paper, put into MNIST's form, read, or refused.

Uses `looking`, `runs`, `training`, `networks` and `data`.
"""

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
from .show import format_page, page_csv, plot_marks, plot_page, plot_steps
from .thresholds import Thresholds, choose_threshold, count_answers, read_thresholds
from .whole import Digit, Page, read_page
