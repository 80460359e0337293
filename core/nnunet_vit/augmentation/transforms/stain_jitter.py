"""Other amounts of the dyes that red, green and blue of a stained tissue are made from."""

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import ImageOnlyTransform
from torch import Tensor

from nnunet_vit.files.json_file import JsonObject

# what haematoxylin, eosin and DAB take from red, green and blue (Ruifrok and Johnston), a row each
DYES = torch.tensor([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
DARKEST = 1 / 255  # of pictures; below it nothing can be told of the dyes


class StainJitter(ImageOnlyTransform):  # type: ignore[misc]
    """Changes the amount of each dye in all pixels of a patch alike, at random."""

    def __init__(self, amount: float, offset: float) -> None:
        """Keep how far it may go: a share of a dye's amount, and optical density."""
        super().__init__()
        self.amount, self.offset = amount, offset

    def get_parameters(self, **data: Tensor) -> JsonObject:
        """Draw a factor around 1 and an offset around 0 for each dye."""
        factors = 1 + np.random.uniform(-self.amount, self.amount, 3)
        offsets = np.random.uniform(-self.offset, self.offset, 3)
        return {"factors": factors.tolist(), "offsets": offsets.tolist()}

    def _apply_to_image(self, img: Tensor, **drawn: object) -> Tensor:
        return restained(img, drawn["factors"], drawn["offsets"])  # type: ignore[arg-type]


def restained(image: Tensor, factors: list[float], offsets: list[float]) -> Tensor:
    """Return an image with other amounts of its dyes.

    Args:
        image: (3, H, W): red, green and blue in 0 to 1, and so is the result.
        factors: of the amount of haematoxylin, eosin and DAB.
        offsets: added to those, in optical density.
    """
    density = -image.clamp_min(DARKEST).log()
    amounts = torch.einsum("cd,chw->dhw", torch.linalg.inv(DYES).to(image), density)
    changed = _column(factors, image) * amounts + _column(offsets, image)
    return (-torch.einsum("dc,dhw->chw", DYES.to(image), changed)).exp().clamp(0, 1)


def _column(numbers: list[float], image: Tensor) -> Tensor:
    return torch.tensor(numbers).to(image).view(-1, 1, 1)
