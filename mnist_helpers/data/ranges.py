"""How much training images are varied: the ranges that are drawn from."""

from pydantic import BaseModel, Field


class Augmentation(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How training images are varied; every range is drawn per image, uniformly, as torchvision does."""

    degrees: float = Field(15, ge=0, le=180)  # rotation by −degrees to +degrees
    translate: float = Field(0.1, ge=0, le=1)  # shift in x and y by up to this share of the side, in whole pixels
    scale: tuple[float, float] = (0.9, 1.1)  # zoom factor
    shear: float = Field(5, ge=0, lt=90)  # shear along x by −shear to +shear degrees
    # elastic distortion (Simard et al. 2003): standard deviation in pixels of a smooth field of displacements
    elastic: float = Field(0, ge=0, le=8)
    brightness: float = Field(0.2, ge=0, le=1)  # brightness factor 1 − b to 1 + b
    contrast: float = Field(0.2, ge=0, le=1)  # contrast factor 1 − c to 1 + c, around the image's mean
    erasing_p: float = Field(0.2, ge=0, le=1)  # probability of blanking one rectangle
    erasing_area: tuple[float, float] = (0.02, 0.33)  # the rectangle's share of the image
    erasing_ratio: tuple[float, float] = (0.3, 3.3)  # the rectangle's height to width, drawn on a logarithmic scale

    def scaled(self, share: float) -> "Augmentation":
        """Return the augmentation with `share` of every range and probability: 0 changes nothing, 1 is this one."""
        names = ("degrees", "translate", "shear", "elastic", "brightness", "contrast", "erasing_p")
        smaller = {name: share * getattr(self, name) for name in names}
        low, high = (1 + share * (factor - 1) for factor in self.scale)
        return self.model_copy(update={**smaller, "scale": (low, high)})
