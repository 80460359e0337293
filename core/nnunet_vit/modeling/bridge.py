"""The bridge from nnU-Net's intensities to those that the pretrained weights expect."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.errors import DataError

STANDARDIZED = ("ZScoreNormalization", "CTNormalization")
UNIT_RANGE = ("RescaleTo01Normalization", "RGBTo01Normalization")


def channel_statistics(
    schemes: Sequence[str], mean: Sequence[float], std: Sequence[float]
) -> ChannelStatistics:
    """Return the mean and std that the network subtracts and divides by: one per input channel.

    Standardized channels (z-score, CT) already look like normalized ones: (0, 1). Channels in 0..1
    get the weights' own statistics: by position where there are three, else the average over RGB.
    For a single channel three numbers are returned: it is shown to the weights as red, green and
    blue, as a grey picture is.

    Args:
        schemes: nnU-Net's normalization per channel, by class name.
        mean: of the pretrained weights, per RGB channel, of intensities in 0..1.
        std: likewise.

    Raises:
        DataError: a channel's normalization leaves its range open, so no statistics fit.
    """
    unknown = [f"{i} ({s})" for i, s in enumerate(schemes) if s not in STANDARDIZED + UNIT_RANGE]
    if unknown:
        raise DataError(
            f"No normalization statistics fit input channel {', '.join(unknown)}: its values may "
            "have any range.",
            fix="give model.input_mean and model.input_std, one number per input channel, or "
            "another name for the channel in dataset.json.",
        )
    if len(schemes) == 1:
        schemes = [schemes[0]] * len(mean)
    rgb = len(schemes) == len(mean)
    means = list(mean) if rgb else [sum(mean) / len(mean)] * len(schemes)
    stds = list(std) if rgb else [sum(std) / len(std)] * len(schemes)
    for channel, scheme in enumerate(schemes):
        if scheme in STANDARDIZED:
            means[channel], stds[channel] = 0.0, 1.0
    return ChannelStatistics(means, stds)


class InputBridge(nn.Module):
    """Normalizes each input channel with fixed statistics that travel with the weights.

    Attributes:
        channels: of the images.
        outputs: channels of the result: as many, or several from a single one.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], channels: int | None = None
    ) -> None:
        """Keep the statistics.

        Args:
            mean: one number per channel; for images of one channel, one per repetition of it.
            std: likewise.
            channels: of the images; None: as many as there are numbers.
        """
        super().__init__()
        self.outputs = len(mean)
        self.channels = self.outputs if channels is None else channels
        if self.channels not in (1, self.outputs) or len(std) != self.outputs:
            raise ValueError(f"{len(mean)} means, {len(std)} stds for {channels} channels")
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return (images - mean) / std, shapes (B, channels, H, W) to (B, outputs, H, W), float32.

        Raises:
            DataError: another number of channels than the network was built for.
        """
        if images.shape[1] != self.channels:  # torch would repeat a single channel silently
            raise DataError(
                f"The images have {images.shape[1]} channels, the network {self.channels}.",
                fix="give the kind of images that the network was trained on.",
            )
        return (images.float() - self.mean) / self.std
