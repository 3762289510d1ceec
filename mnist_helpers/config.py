"""One frozen object that holds every number of a run, checked before any work starts."""

from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mnist_helpers.config_checks import ConfigError, check_device, check_network, check_writable, explain
from mnist_helpers.models import MODELS
from mnist_helpers.paths import resolve
from mnist_helpers.precision import Precision
from mnist_helpers.recipes import with_recipe

PARAMETER_BUDGET = 20_000
EPOCH_BUDGET = 20
TRAINING_IMAGES = 60_000
PUBLISHED_FOLDER = "outputs"
TRIAL_FOLDER = "outputs/trial"


def _known_model(name: str) -> str:
    if name not in MODELS:
        raise ValueError(f"allowed: {', '.join(MODELS)}")
    return name


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Augmentation(_Frozen):
    """How training images are varied; every range is drawn per image, uniformly, as torchvision does."""

    degrees: float = Field(15, ge=0, le=180)
    """Rotation by −degrees to +degrees."""
    translate: float = Field(0.1, ge=0, le=1)
    """Shift in x and y by up to this share of the image's side, in whole pixels."""
    scale: tuple[float, float] = (0.9, 1.1)
    """Zoom factor."""
    shear: float = Field(5, ge=0, lt=90)
    """Shear along x by −shear to +shear degrees."""
    elastic: float = Field(0, ge=0, le=8)
    """Elastic distortion (Simard et al. 2003): standard deviation in pixels of a smooth field of displacements."""
    brightness: float = Field(0.2, ge=0, le=1)
    """Brightness factor 1 − b to 1 + b."""
    contrast: float = Field(0.2, ge=0, le=1)
    """Contrast factor 1 − c to 1 + c, around the image's mean."""
    erasing_p: float = Field(0.2, ge=0, le=1)
    """Probability of blanking one rectangle."""
    erasing_area: tuple[float, float] = (0.02, 0.33)
    """The rectangle's share of the image."""
    erasing_ratio: tuple[float, float] = (0.3, 3.3)
    """The rectangle's height to width, drawn on a logarithmic scale."""

    def scaled(self, share: float) -> "Augmentation":
        """Return the augmentation with `share` of every range and probability: 0 changes nothing, 1 is this one."""
        names = ("degrees", "translate", "shear", "elastic", "brightness", "contrast", "erasing_p")
        smaller = {name: share * getattr(self, name) for name in names}
        low, high = (1 + share * (factor - 1) for factor in self.scale)
        return self.model_copy(update={**smaller, "scale": (low, high)})


class RunConfig(_Frozen):
    """Everything that decides a run. Same config, same machine: same weights, bit for bit."""

    model: Annotated[str, AfterValidator(_known_model)] = "final"
    epochs: int = Field(15, ge=1, lt=EPOCH_BUDGET)
    batch_size: int = Field(128, ge=1, le=TRAINING_IMAGES)
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """SGD with Nesterov momentum, or AdamW (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101)."""
    schedule: Literal["onecycle", "constant"] = "onecycle"
    """How the learning rate moves (OneCycle: Smith & Topin 2018, https://arxiv.org/abs/1708.07120)."""
    max_lr: float = Field(0.1, gt=0)
    """Learning rate, at its peak when it moves."""
    pct_start: float = Field(0.3, gt=0, lt=1)
    """Share of all steps in which the rate rises."""
    div_factor: float = Field(25, gt=1)
    """The rate starts at max_lr / div_factor."""
    final_div_factor: float = Field(1e4, gt=1)
    """The rate ends at max_lr / div_factor / final_div_factor."""
    max_momentum: float = Field(0.95, gt=0, lt=1)
    """Nesterov momentum at the lowest rates; OneCycle moves it against the rate."""
    base_momentum: float = Field(0.85, gt=0, lt=1)
    """Nesterov momentum at the peak rate; a constant rate has the momentum midway."""
    weight_decay: float = Field(5e-4, ge=0)
    precision: Precision = "float32"
    """Numbers that convolutions and dense layers compute in while training; bfloat16 is faster on a GPU or a CPU with
    AMX, and slower on any other (`precision.py`)."""
    label_smoothing: float = Field(0, ge=0, lt=1)
    """Share of each target that is spread evenly over all classes (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567)."""
    teacher: Annotated[str, AfterValidator(_known_model)] | None = None
    """A network, trained first by its own recipe on the same images, whose answers this one learns too
    (`distillation.py`)."""
    averaging: float = Field(0, ge=0, lt=1)
    """Decay of the moving average over steps of the weights, which is then what counts as the network; 0: none."""
    whitened: bool = False
    """Whether the first convolution starts from the training images' principal components (`whitening.py`)."""
    learning_epochs: tuple[Annotated[int, Field(ge=0, lt=EPOCH_BUDGET)], ...] = ()
    """Epochs in which the network's first block learns, its second, and so on; blocks without a number learn in all.
    What no longer learns needs no gradient (FreezeOut, Brock et al. 2017, https://arxiv.org/abs/1706.04983)."""
    augmentation: Augmentation | None = Augmentation()
    """None trains on the plain digits."""
    augmentation_end: float = Field(1, ge=0, le=1)
    """Share of the augmentation that is left in the last epoch; it shrinks evenly from one epoch to the next."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Decides the split, the first weights, and every epoch's order, augmentation and dropout."""
    train_size: int | None = Field(None, ge=10, le=TRAINING_IMAGES - 10)
    """Images to train on, drawn evenly over the classes; None: all that validation leaves."""
    validation_size: int = Field(50, ge=10, le=TRAINING_IMAGES - 10)
    held_out: Literal["drawn", "last"] = "drawn"
    """Validation images: drawn evenly over the classes, or the last of the file, which are by other writers."""
    data_dir: str = "data"
    output_dir: str = PUBLISHED_FOLDER
    resume: bool = False
    device: str = "auto"

    def torch_device(self) -> torch.device:
        """Return the device to train on; `auto` takes a GPU when there is one."""
        if self.device != "auto":
            return torch.device(self.device)
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def augmentation_in(self, epoch: int) -> Augmentation | None:
        """Return how images are varied in an epoch, from 1."""
        if self.augmentation is None or self.augmentation_end == 1 or self.epochs == 1:
            return self.augmentation
        passed = (epoch - 1) / (self.epochs - 1)
        return self.augmentation.scaled(1 + passed * (self.augmentation_end - 1))

    def output_folder(self) -> Path:
        """Return `output_dir` as an absolute path."""
        return resolve(self.output_dir)

    def training_differences(self, other: "RunConfig") -> list[str]:
        """Name the fields in which the two would train differently, as `name: this one, other one`."""
        places = {"data_dir", "output_dir", "resume", "device"}
        mine, theirs = self.model_dump(exclude=places), other.model_dump(exclude=places)
        return [f"{name}: {mine[name]}, {theirs[name]}" for name in mine if mine[name] != theirs[name]]


def make_config(**parameters: Any) -> RunConfig:
    """Return the configuration of a run on this machine, checked; creates `output_dir` when it is not there.

    What is not given is as the network's recipe says (`recipes.py`). Without an `output_dir` (or with None) the
    course's own settings write to `outputs`, where the published run is kept, and any other settings to
    `outputs/trial`.

    Raises:
        ConfigError: one line for each parameter that is unknown or not allowed.
    """
    parameters = with_recipe(parameters)
    chosen_folder = parameters.pop("output_dir", None)
    try:
        config = RunConfig(**parameters)
        if chosen_folder is None:
            chosen_folder = TRIAL_FOLDER if config.training_differences(RunConfig()) else PUBLISHED_FOLDER
        config = RunConfig(**parameters, output_dir=chosen_folder)
    except ValidationError as error:
        lines = (explain(problem, RunConfig.model_fields) for problem in error.errors())
        raise ConfigError("\n".join(lines)) from None
    asked = (config.train_size or 0) + config.validation_size
    if asked > TRAINING_IMAGES:
        raise ConfigError(
            f"train_size={config.train_size} with validation_size={config.validation_size} is not allowed; "
            f"allowed: together at most {TRAINING_IMAGES:,} images"
        )
    check_network(config.model, config.learning_epochs, config.whitened)
    check_device(config.device)
    check_writable(config.output_folder())
    return config
