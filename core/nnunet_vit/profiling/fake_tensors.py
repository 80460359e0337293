"""Networks whose tensors have shapes and types and no memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.modeling.network import ViTSegmentationNetwork, network_arguments


def build_without_memory(
    run: ViTnnUNetConfig,
    channels: int,
    num_classes: int,
    *,
    image_size: tuple[int, int],
    statistics: ChannelStatistics,
    deep_supervision: bool,
) -> ViTSegmentationNetwork:
    """Build a run's network as training does, on torch's meta device and without weights.

    Args:
        run: resolved.
        channels: of the images.
        num_classes: channels of the logits.
        image_size: (H, W) in pixels.
        statistics: mean and std per input channel.
        deep_supervision: whether the loss looks at all resolutions.

    Raises:
        UserError: as in training.
    """
    with torch.device("meta"):
        return ViTSegmentationNetwork(
            channels,
            num_classes,
            deep_supervision=deep_supervision,
            **network_arguments(run, image_size, statistics),
        )


@contextmanager
def computed_without_memory(network: nn.Module) -> Iterator[None]:
    """Let everything inside compute shapes alone; the network's tensors become fake ones.

    They claim to lie on a CPU, whose autocast and whose kernels' types torch then computes with.
    """
    with FakeTensorMode():
        _replace_tensors(network)
        yield


def _replace_tensors(network: nn.Module) -> None:
    def empty(tensor: Tensor) -> Tensor:
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")

    network._apply(empty)  # type: ignore[no-untyped-call]
