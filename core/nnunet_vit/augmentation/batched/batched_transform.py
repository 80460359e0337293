"""What a transform of a whole batch is: nnU-Net's own draws, and what is done with them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import torch
from batchgeneratorsv2.transforms.intensity.contrast import BGContrast
from torch import Tensor

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Draws: TypeAlias = "list[Array | None]"  # of a transform for each patch; None: it is left alone


@dataclass
class ImageBatch:
    """Patches on the device where they are changed.

    Attributes:
        images: (B, C, H, W) float32; replaced or changed in place.
        masks: (B, 1, H, W), (B, regions, H, W), or a list of them, one for each resolution.
        random: for numbers that are drawn on the device.
    """

    images: Tensor
    masks: Tensor | list[Tensor]
    random: torch.Generator

    @property
    def whole_masks(self) -> Tensor:
        """The masks while they have one resolution."""
        assert isinstance(self.masks, Tensor)
        return self.masks


class BatchedTransform(ABC):
    """A transform of batchgeneratorsv2, applied to whole batches.

    Attributes:
        of: the class in batchgeneratorsv2, of which no subclass is meant.
        settings: its attributes, all of which this one follows.
        ranges: those of them that are drawn from, which have to be numbers: a function could look
            at the image, which is not there where parameters are drawn.
        fixed: those that may have one value alone.
    """

    of: ClassVar[type]
    settings: ClassVar[frozenset[str]]
    ranges: ClassVar[tuple[str, ...]] = ()
    fixed: ClassVar[dict[str, object]] = {}

    # Any: batchgeneratorsv2 has no types
    def __init__(self, transform: Any) -> None:  # noqa: ANN401
        """Keep the transform, whose settings are read when they are needed."""
        self.transform = transform

    @classmethod
    def obstacle(cls, transform: Any) -> str:  # noqa: ANN401
        """Return why this one cannot stand for a transform of its class; nothing: it can."""
        name, found = cls.of.__name__, vars(transform)
        if others := set(found) ^ cls.settings:
            return (
                f"{name} of the installed batchgeneratorsv2 differs in {', '.join(sorted(others))}"
            )
        for key in cls.ranges:
            if not is_range(found[key]):
                return f"{name} draws {key} by a function"
        for key, value in cls.fixed.items():
            if found[key] != value:
                return f"{name} with {key} {found[key]!r} works on single patches"
        return ""

    def draw(self, image: Tensor) -> "Array | None":
        """Draw the parameters of a patch from numpy's and torch's global random numbers.

        Args:
            image: (C, H, W), of the patch's shape and without content.
        """
        return None

    @abstractmethod
    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Change a batch by what was drawn for each of its patches."""


def is_range(value: object) -> bool:
    """Tell whether parameters are drawn from numbers: one, a pair, or nnU-Net's around 1."""
    if isinstance(value, BGContrast):
        return type(value) is BGContrast and isinstance(value.contrast_range, tuple | list)
    if isinstance(value, tuple | list):
        return all(isinstance(each, int | float) for each in value)
    return isinstance(value, int | float)
