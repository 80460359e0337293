"""Brightness, contrast, saturation and hue of red, green and blue in 0 to 1."""

import math

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import ImageOnlyTransform
from torch import Tensor

from nnunet_vit.files.json_file import JsonObject

# brightness and two axes of colour (NTSC's YIQ), a row each
TO_YIQ = torch.tensor(
    [
        [0.299, 0.587, 0.114],
        [0.59590059, -0.27455667, -0.32134392],
        [0.21153661, -0.52273617, 0.31119955],
    ]
)
GREY = TO_YIQ[:1]


class ColourJitter(ImageOnlyTransform):  # type: ignore[misc]
    """Changes all pixels of a patch in the same way, by random amounts."""

    def __init__(self, brightness: float, contrast: float, saturation: float, hue: float) -> None:
        """Keep how far it may go: shares of 1, and the hue's of the circle of colours."""
        super().__init__()
        self.widths = (brightness, contrast, saturation)
        self.hue = hue

    def get_parameters(self, **data: Tensor) -> JsonObject:
        """Draw factors around 1 and an angle around 0, in radians."""
        factors = [float(1 + np.random.uniform(-width, width)) for width in self.widths]
        angle = float(2 * math.pi * np.random.uniform(-self.hue, self.hue))
        return {"factors": factors, "angle": angle}

    def _apply_to_image(self, img: Tensor, **drawn: object) -> Tensor:
        return jittered(img, drawn["factors"], drawn["angle"])  # type: ignore[arg-type]


def jittered(image: Tensor, factors: list[float], angle: float) -> Tensor:
    """Return an image in other colours.

    Args:
        image: (3, H, W): red, green and blue in 0 to 1, and so is the result.
        factors: of brightness, contrast and saturation.
        angle: by which its colours are turned, in radians.
    """
    brightness, contrast, saturation = factors
    changed = brightness * image
    middle = _mixed(changed, GREY).mean()
    changed = middle + contrast * (changed - middle)
    sine, cosine = saturation * math.sin(angle), saturation * math.cos(angle)
    turn = torch.tensor([[1.0, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    return _mixed(changed, torch.linalg.inv(TO_YIQ) @ turn @ TO_YIQ).clamp(0, 1)


def _mixed(image: Tensor, matrix: Tensor) -> Tensor:
    """Return each pixel's colour times a matrix; (C, H, W)."""
    return torch.einsum("dc,chw->dhw", matrix.to(image), image)
