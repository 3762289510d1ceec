"""How much training images are varied: the ranges that are drawn from."""

from typing import Annotated, Any, Self, get_args

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator, model_validator

SIDE = 28  # pixels of an image


class Chosen(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Settings that a person chooses: nothing unknown, nothing infinite, and no boolean for a number."""

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        given = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(each, bool) for each in given) and _counts(cls.model_fields[info.field_name].annotation):
            raise ValueError("a number, which a boolean is not")
        return value


def _counts(annotation: Any) -> bool:
    """Say whether a field holds numbers."""
    return annotation in (int, float) or any(map(_counts, get_args(annotation)))


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError("two numbers, the smaller one first")
    return pair


Zoom = Annotated[float, Field(ge=0.1, le=10)]
Share = Annotated[float, Field(gt=0, le=1)]
Ratio = Annotated[float, Field(ge=1 / SIDE, le=SIDE)]


class Augmentation(Chosen, frozen=True):
    """How training images are varied; every range is drawn per image, uniformly, as torchvision does."""

    degrees: float = Field(15, ge=0, le=180)  # rotation by −degrees to +degrees
    # shift in x and y by up to this share of the side, in whole pixels; by more than a half the digit would be gone
    translate: float = Field(0.1, ge=0, le=0.5)
    scale: Annotated[tuple[Zoom, Zoom], AfterValidator(_rising)] = (0.9, 1.1)  # zoom factor
    # shear along x by −shear to +shear degrees; at 60 the top row is more than a side away from the bottom one
    shear: float = Field(5, ge=0, le=60)
    # elastic distortion (Simard et al. 2003): standard deviation in pixels of a smooth field of displacements, drawn
    # four pixels apart: larger ones would cross
    elastic: float = Field(0, ge=0, le=4)
    brightness: float = Field(0.2, ge=0, le=1)  # brightness factor 1 − b to 1 + b
    contrast: float = Field(0.2, ge=0, le=1)  # contrast factor 1 − c to 1 + c, around the image's mean
    erasing_p: float = Field(0.2, ge=0, le=1)  # probability of blanking one rectangle
    # the rectangle's share of the image
    erasing_area: Annotated[tuple[Share, Share], AfterValidator(_rising)] = (0.02, 0.33)
    # the rectangle's height to width, drawn on a logarithmic scale
    erasing_ratio: Annotated[tuple[Ratio, Ratio], AfterValidator(_rising)] = (0.3, 3.3)

    @model_validator(mode="after")
    def _some_rectangle_fits(self) -> Self:
        low, high = self.erasing_ratio
        longest = max(1, low, 1 / high)  # the least that the rectangle's long side is times its short one
        # sides are rounded to whole pixels: none to 0, and a row and a column stay
        if (
            self.erasing_area[0] * longest >= (1 - 0.5 / SIDE) ** 2
            or self.erasing_area[1] <= longest / (2 * SIDE) ** 2
        ):
            raise ValueError(
                f"erasing_area={self.erasing_area} with erasing_ratio={self.erasing_ratio} leaves no rectangle of "
                f"1 to {SIDE - 1} rows and columns; allowed: ranges that do"
            )
        return self

    def scaled(self, share: float) -> "Augmentation":
        """Return the augmentation with `share` of every range and probability: 0 changes nothing, 1 is this one."""
        names = ("degrees", "translate", "shear", "elastic", "brightness", "contrast", "erasing_p")
        smaller = {name: share * getattr(self, name) for name in names}
        low, high = (1 + share * (factor - 1) for factor in self.scale)
        return self.model_copy(update={**smaller, "scale": (low, high)})
