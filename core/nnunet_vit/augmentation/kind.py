"""What an augmentation is: a name, its options, and how it changes nnU-Net's list of transforms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

Transforms: TypeAlias = "list[BasicTransform]"
UNIT_RGB = ("RGBTo01Normalization",) * 3


class AugmentationOptions(BaseModel):
    """Base of an augmentation's options: the keys of `train.augmentation.<name>` in the run file.

    Give each field a bound and a description. Unknown keys and wrong types are errors.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    strength: float = Field(
        1.0, gt=0, le=3, description="how far it goes: all ranges are multiplied with it"
    )
    probability: float = Field(0.5, gt=0, le=1, description="share of the patches that it changes")


@dataclass(frozen=True)
class PatchFacts:
    """What an augmentation is to know of the patches.

    Attributes:
        size: (H, W) in pixels.
        schemes: nnU-Net's normalization of each channel, by class name.
    """

    size: tuple[int, int]
    schemes: Sequence[str]

    @property
    def is_rgb(self) -> bool:
        """Whether the channels are red, green and blue in 0 to 1, as they were in the files."""
        return tuple(self.schemes) == UNIT_RGB


@dataclass(frozen=True)
class Augmentation:
    """An augmentation of training patches.

    Attributes:
        name: the key of `train.augmentation`.
        summary: what it does, in a line.
        added: returns nnU-Net's list of transforms with this augmentation in it; transforms take
            `image` (C, H, W) and `segmentation` (1, H, W) as those of batchgeneratorsv2 do, and
            draw from the random numbers of numpy and torch, which are seeded for every batch.
            Import torch inside.
        options: the pydantic model of its keys.
        needs_rgb: whether it is refused where the patches are not red, green and blue in 0 to 1.
    """

    name: str
    summary: str
    # Any: each takes the options of its own model
    added: "Callable[[Transforms, Any, PatchFacts], Transforms]"
    options: type[AugmentationOptions] = AugmentationOptions
    needs_rgb: bool = False


@dataclass(frozen=True)
class ChosenAugmentation:
    """An augmentation with a run's options for it."""

    kind: Augmentation
    options: AugmentationOptions
