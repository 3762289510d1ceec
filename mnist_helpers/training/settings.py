"""The numbers of a run: one frozen object, checked when it is made."""

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import torch
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from mnist_helpers.data import FOLD_SIZES, Augmentation, Chosen, Split, load_split
from mnist_helpers.paths import as_meant, resolve

if TYPE_CHECKING:
    from mnist_helpers.training.hooks import Hook

EPOCH_BUDGET = 20
TRAINING_IMAGES = 60_000
OWN_FOLDER = "outputs/own/run"
PLACES = frozenset({"data_dir", "output_dir", "resume", "device"})  # say where a run happens, not what it trains


def _as_text(path: Any) -> Any:
    """Return a path as text: papermill makes a number of a folder called 2024."""
    number = isinstance(path, int) and not isinstance(path, bool) and path >= 0
    return str(path) if isinstance(path, PurePath) or number else path


Folder = Annotated[StrictStr, BeforeValidator(_as_text), AfterValidator(as_meant)]


def _known(value: object, check: ValidatorFunctionWrapHandler) -> bool | str:
    try:
        return check(value)
    except ValidationError:
        raise ValueError('allowed: True, False or "anyway"') from None


Resume = Annotated[bool | Literal["anyway"], WrapValidator(_known)]


class Settings(Chosen, frozen=True):
    """All that decides a plain run of a network. Same settings, same machine: same weights, bit for bit."""

    epochs: int = Field(15, ge=1, lt=EPOCH_BUDGET)
    batch_size: int = Field(128, ge=1, le=TRAINING_IMAGES)
    # SGD with Nesterov momentum, AdamW (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101) or `muon.py`'s
    optimizer: Literal["sgd", "adamw", "muon"] = "sgd"
    # how the learning rate moves (OneCycle: Smith & Topin 2018, https://arxiv.org/abs/1708.07120)
    schedule: Literal["onecycle", "constant"] = "onecycle"
    max_lr: float = Field(0.1, gt=0)  # learning rate, at its peak when it moves
    pct_start: float = Field(0.3, gt=0, lt=1)  # share of all steps in which the rate rises
    div_factor: float = Field(25, gt=1)  # the rate starts at max_lr / div_factor
    final_div_factor: float = Field(1e4, gt=1)  # the rate ends at max_lr / div_factor / final_div_factor
    max_momentum: float = Field(0.95, gt=0, lt=1)  # Nesterov's, at the lowest rates; OneCycle moves it against them
    base_momentum: float = Field(0.85, gt=0, lt=1)  # at the peak rate; a constant rate has the momentum midway
    weight_decay: float = Field(5e-4, ge=0)
    # share of each target spread evenly over all classes (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567)
    label_smoothing: float = Field(0, ge=0, lt=1)
    augmentation: Augmentation | None = Augmentation()  # None trains on the plain digits
    seed: int = Field(0, ge=0, lt=2**31)  # decides the split, first weights, each epoch's order and random changes
    # images to train on, drawn evenly over the classes; None: all that validation leaves
    train_size: int | None = Field(None, ge=10, le=TRAINING_IMAGES - 10)
    validation_size: int = Field(50, ge=10, le=TRAINING_IMAGES - 10)
    # validation images: drawn evenly over the classes, the last of the file, or by writers of no training image
    held_out: Literal["drawn", "last", "writers"] = "drawn"
    # which fifth of the writers is held out, where writers are; None: each in its turn, the seed modulo five
    fold: int | None = Field(None, ge=0, lt=len(FOLD_SIZES))
    data_dir: Folder = "data"
    output_dir: Folder = OWN_FOLDER
    resume: Resume = False  # "anyway": on another machine or by other code, too
    device: str = "auto"

    def hooks(self) -> tuple["Hook", ...]:
        """Return what these settings add to the plain loop: nothing here; a recipe's may."""
        return ()

    def split(self, with_test: bool = True) -> Split:
        """Load the images of this run: to train on, to choose by, and, `with_test`, to report."""
        fold = self.seed % len(FOLD_SIZES) if self.fold is None else self.fold
        sizes = (self.validation_size, self.train_size)
        return load_split(self.data_dir, *sizes, self.seed, self.held_out, fold, with_test)

    def torch_device(self) -> torch.device:
        """Return the device to train on; `auto` takes a GPU when there is one."""
        if self.device != "auto":
            return torch.device(self.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def output_folder(self) -> Path:
        """Return `output_dir` as an absolute path."""
        return resolve(self.output_dir)

    def training_differences(self, other: Self) -> list[str]:
        """Name the fields in which the two would train differently, as `name: this one, other one`."""
        mine, theirs = self.model_dump(exclude=PLACES), other.model_dump(exclude=PLACES)
        names = dict.fromkeys([*mine, *theirs])
        return [f"{n}: {mine.get(n)}, {theirs.get(n)}" for n in names if mine.get(n) != theirs.get(n)]
