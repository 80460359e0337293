"""One forward pass before training: a head with a wrong output is refused, not broadcast."""

import torch
from torch import Tensor

from nnunet_vit.errors import PluginError
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.registry.plugins import plugin_failures


def output_scales(network: ViTSegmentationNetwork, images: Tensor) -> list[list[float]]:
    """Check the network's output for a batch of images and return each level's scale, [H, W].

    nnU-Net would accept a head with a wrong number of channels and spread it over all classes.

    Raises:
        PluginError: wrong type, shape or values.
    """
    with plugin_failures("The head's forward"), torch.no_grad():
        output = network(images)
    levels = output if isinstance(output, list) else [output]
    batch, _, height, width = images.shape
    for number, level in enumerate(levels):
        _check_level(network.num_classes, batch, level, number=number)
    if tuple(levels[0].shape[2:]) != (height, width):
        raise PluginError(
            f"The head's finest logits have {tuple(levels[0].shape[2:])} pixels for images of "
            f"{(height, width)}: they must be equal."
        )
    return [[level.shape[2] / height, level.shape[3] / width] for level in levels]


def _check_level(num_classes: int, batch: int, level: Tensor, *, number: int) -> None:
    if level.ndim != 4 or level.shape[0] != batch or level.shape[1] != num_classes:
        raise PluginError(
            f"The head's output {number} has shape {tuple(level.shape)}; needed: "
            f"({batch}, {num_classes}, H, W), with one channel per class or region."
        )
    if not bool(torch.isfinite(level).all()):
        raise PluginError(f"The head's output {number} holds values that are not finite.")
