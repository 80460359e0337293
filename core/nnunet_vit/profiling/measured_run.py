"""A run's network and its training step, for whoever measures: `describe` and `plan`."""

from dataclasses import dataclass

import torch

from nnunet_vit.backbones import timm_name
from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset, has_regions
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.precision import computes_in_bfloat16
from nnunet_vit.modeling.vit.timm_models import BackboneFacts, inspect_timm
from nnunet_vit.profiling.assumptions import Tile
from nnunet_vit.profiling.cost import StepCost
from nnunet_vit.profiling.fake_tensors import build_without_memory
from nnunet_vit.profiling.logits_loss import Labels, loss_of_run
from nnunet_vit.profiling.step import Loss, step_cost


@dataclass(frozen=True)
class Measured:
    """What a training step is measured of.

    Attributes:
        run: resolved, with what its weights say of the network.
        dataset: there or assumed.
        statistics: mean and std per input channel.
        device: that the training would run on: cuda, cpu or mps.
    """

    run: ViTnnUNetConfig
    dataset: Dataset
    statistics: ChannelStatistics
    device: str


def with_its_network(run: ViTnnUNetConfig) -> ViTnnUNetConfig:
    """Return the run with what a snapshot says of its network; no hub is asked."""
    from nnunet_vit.modeling.vit.hub_network import as_repository_says
    from nnunet_vit.modeling.vit.snapshot_network import as_snapshot_says

    return as_snapshot_says(as_repository_says(run, fetch=False))


def facts_of(run: ViTnnUNetConfig) -> BackboneFacts:
    """Return what timm says of the run's backbone."""
    model = run.model
    name = timm_name(model.backbone, model.size_name)
    return inspect_timm(name, model.vit_patch_size, model.backbone_arguments)


def precision_of(run: ViTnnUNetConfig, device: str) -> str:
    """Return what the run computes in on a kind of device: bfloat16 or float32."""
    return "bfloat16" if computes_in_bfloat16(run.model.precision, device) else "float32"


def network_of(measured: Measured, size: tuple[int, int]) -> ViTSegmentationNetwork:
    """Build the network without memory for images of (H, W) pixels.

    Raises:
        UserError: as in training.
    """
    dataset = measured.dataset
    return build_without_memory(
        measured.run,
        len(dataset.description["channel_names"]),
        dataset.number_of_outputs(),
        image_size=size,
        statistics=measured.statistics,
        deep_supervision=Head(measured.run).deep_supervision,
    )


def cost_of(network: ViTSegmentationNetwork, measured: Measured, tile: Tile) -> StepCost:
    """Measure a training step; the network is of no use afterwards.

    Raises:
        ConfigError: checkpointing is asked for and no part of the network can do it.
        Exception: of any class: a head may look at values, which tensors without memory lack.
    """
    loss = training_loss(network, measured, tile)
    return step_cost(network, measured.run, tile, loss=loss, device=measured.device)


def training_loss(
    network: ViTSegmentationNetwork, measured: Measured, tile: Tile, target: Labels = torch.zeros
) -> Loss:
    """Return the loss of what the network returns in training, against labels that are made up.

    Args:
        network: of the run.
        measured: the run.
        tile: what the step is fed with.
        target: makes the labels.
    """
    run, dataset = measured.run, measured.dataset
    regions = has_regions(dataset.description)
    logits_loss = loss_of_run(run.train.loss, dataset, target)
    if not network.own_loss:
        return logits_loss
    loss = Head(run).loss(
        network.num_classes, regions, None, default_loss=lambda logits, _target: logits_loss(logits)
    )
    channels = network.num_classes if regions else 1
    return lambda outputs: loss(outputs, target(tile.batch, channels, *tile.size))
