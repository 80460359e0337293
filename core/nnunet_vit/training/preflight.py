"""Everything that can go wrong with a run, looked at before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTnnUNetConfig, ViTTrainConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.input_normalization import input_statistics
from nnunet_vit.data.recipe_fit import check_recipe
from nnunet_vit.errors import ConfigError
from nnunet_vit.nnunet.folders import folder
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.disk_space import check_room

if TYPE_CHECKING:
    from nnunet_vit.modeling.network import ViTSegmentationNetwork

NOTHING_TO_CONTINUE = (
    "leave out --continue, or give the run file that the earlier run had (another model, lora or "
    "train section is another run; --set recipe=1 finds one of versions before recipes)."
)
PROBE_PATCHES = (4, 6)  # of the probing image, down and across


@dataclass(frozen=True)
class NetworkFacts:
    """What the plans need to know of a network that has been built once.

    Attributes:
        patch_size: edge of the ViT's patches, pixels.
        statistics: mean and std per input channel.
    """

    patch_size: int
    statistics: ChannelStatistics


def check_network(
    dataset: Dataset,
    run: ViTnnUNetConfig,
    fresh: bool,
    *,
    progress: Progress,
    schemes: list[str] | None = None,
) -> NetworkFacts:
    """Check the run's network against the dataset, cheap things first; build it once if fresh.

    What the pretrained weights brought is told, and where statistics of the input are uncertain.

    Args:
        dataset: to train on.
        run: resolved.
        fresh: whether the training starts.
        progress: where to show what is found.
        schemes: nnU-Net's normalization of each channel by the plans; None: by dataset.json.

    Raises:
        ConfigError: model, sizes, LoRA targets, rates, checkpointing, loss or augmentation that do
            not exist or fit.
        DataError: an input channel that no statistics fit.
        MachineError: the disk has no room for what the run will write.
        ModelError: the weights cannot be had or do not fit.
        PluginError: the head fails or returns something else than logits.
    """
    from nnunet_vit.backbones import timm_name
    from nnunet_vit.modeling.vit.timm_models import check_image_size, inspect_timm
    from nnunet_vit.training.whole_batches import check_augmentation_device

    schemes_now = schemes or dataset.normalization_schemes()
    check_recipe(run.train, dataset.description, schemes_now)
    check_augmentation_device(run.train, schemes_now)
    name = timm_name(run.model.backbone, run.model.size_name)
    if fresh:
        require_weights(run)
    backbone = inspect_timm(name, run.model.vit_patch_size, run.model.backbone_arguments)
    if run.train.patch_size is not None:
        height, width = run.train.patch_size
        check_image_size(name, (height, width), backbone.patch_size, key="train.patch_size")
    statistics = input_statistics(dataset, run, backbone, schemes=schemes)
    facts = NetworkFacts(backbone.patch_size, statistics.per_channel)
    if fresh:
        network = _build_once(dataset, run, facts)
        _check_training(network, run.train, _probe_size(facts))
        _say_coverage(network, run, progress)
        if statistics.notice:
            progress.log(statistics.notice)
    return facts


def require_weights(run: ViTnnUNetConfig) -> None:
    """Refuse published weights that cannot be had, before any work and within seconds.

    Raises:
        UserError: they are fetched by hand, or are neither here nor in reach.
    """
    from nnunet_vit.backbones import timm_name
    from nnunet_vit.modeling.hub.published import require_published, require_reachable

    model = run.model
    if model.pretrained and not model.checkpoint_path:
        require_published(model.backbone, model.size_name)
        require_reachable(timm_name(model.backbone, model.size_name), model.repository)


def _say_coverage(
    network: "ViTSegmentationNetwork", run: ViTnnUNetConfig, progress: Progress
) -> None:
    if network.coverage is not None:
        progress.log(f"Weights: {network.coverage.summary()}")
    elif run.model.pretrained:
        weights = run.model.checkpoint_path or "the published weights"
        progress.log(
            f"Weights: the head is left to read {weights} itself; what of its backbone they cover "
            "is not known (create_backbone would tell)."
        )


def _check_training(
    network: "ViTSegmentationNetwork", settings: ViTTrainConfig, size: tuple[int, int]
) -> None:
    """Refuse what would be refused later, when data are preprocessed and folders written."""
    import torch

    from nnunet_vit.modeling.runtime.feature_tap import FeatureTap
    from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks
    from nnunet_vit.training.optimization import parameter_groups

    parameter_groups(network, settings)
    if settings.gradient_checkpointing:
        checkpoint_blocks(network)
    if settings.feature_cache is not None:
        FeatureTap(network, size, torch.float32)
    check_room(network, settings, folder("results"))


def _probe_size(facts: NetworkFacts) -> tuple[int, int]:
    height, width = (patches * facts.patch_size for patches in PROBE_PATCHES)
    return height, width


def _build_once(
    dataset: Dataset, run: ViTnnUNetConfig, facts: NetworkFacts
) -> "ViTSegmentationNetwork":
    """Build, load and run the network on a small image that is not square: seconds, not hours."""
    import torch

    from nnunet_vit.modeling.head import Head
    from nnunet_vit.modeling.network import (
        ViTSegmentationNetwork,
        first_build,
        network_arguments,
    )
    from nnunet_vit.modeling.output_check import output_scales
    from nnunet_vit.modeling.weights.shapes.grids import rehearsal

    height, width = _probe_size(facts)
    channels = len(dataset.description["channel_names"])
    with first_build(), rehearsal():  # the real size is known once the dataset is planned
        network = ViTSegmentationNetwork(
            channels,
            dataset.number_of_outputs(),
            deep_supervision=Head(run).deep_supervision,
            **network_arguments(run, (height, width), facts.statistics),
        )
    output_scales(network.eval(), torch.zeros(2, channels, height, width))
    return network


def starts_from_checkpoint(fold_folder: Path, resume: bool, overwrite: bool) -> bool:
    """Tell whether the run resumes from a checkpoint.

    Raises:
        ConfigError: there is none, or there is one and nobody said what to do with it.
    """
    found = FoldFolder(fold_folder).content()
    if resume and not found:
        raise ConfigError(
            f"--continue: there is no checkpoint of this run in {fold_folder}.",
            fix=NOTHING_TO_CONTINUE,
        )
    if found and not resume and not overwrite:
        raise ConfigError(
            f"{fold_folder} already holds this run's {found}.",
            fix="--continue to resume, --overwrite to start from scratch, or change the run file.",
        )
    return resume
