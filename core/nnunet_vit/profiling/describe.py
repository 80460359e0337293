"""A run described before anything is trained: network, cost, input, weights."""

from typing import TYPE_CHECKING

from nnunet_vit.backbones import family, is_timm, timm_name
from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.channels import in_order, normalization_of
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.input_normalization import input_statistics
from nnunet_vit.data.recipe_fit import check_recipe
from nnunet_vit.errors import UserError, first_line
from nnunet_vit.profiling.cost import Channel, Description, StepCost, Weights
from nnunet_vit.tuning import method_of

if TYPE_CHECKING:
    from nnunet_vit.modeling.network import ViTSegmentationNetwork
    from nnunet_vit.profiling.assumptions import Notes, Tile
    from nnunet_vit.profiling.measured_run import Measured


def describe(run: ViTnnUNetConfig, device: str) -> Description:
    """Return all that can be known of a run without its weights and without memory.

    Args:
        run: resolved.
        device: that it would be trained on: cuda, cpu or mps.

    Raises:
        UserError: the network cannot be built as the run asks for, or the plans do not fit.
    """
    from nnunet_vit.profiling.measured_run import with_its_network

    return _described(with_its_network(run), device)


def _described(run: ViTnnUNetConfig, device: str) -> Description:
    from nnunet_vit.modeling.backbone import backbone_of
    from nnunet_vit.profiling.assumptions import Notes, dataset_of, tile_of
    from nnunet_vit.profiling.measured_run import Measured, facts_of, network_of, precision_of
    from nnunet_vit.profiling.memory import estimated_memory
    from nnunet_vit.profiling.parts import adapted_kinds, parts_of

    notes, facts = Notes(), facts_of(run)
    name = timm_name(run.model.backbone, run.model.size_name)
    dataset, is_there = dataset_of(run, notes)
    planned = dataset if is_there else None
    tile = tile_of(run, planned, name, vit_patch=facts.patch_size, notes=notes)
    schemes = _schemes(dataset, run, is_there)
    statistics = input_statistics(dataset, run, facts, schemes=schemes, fetch=False)
    measured = Measured(run, dataset, statistics.per_channel, device)
    network = network_of(measured, tile.size)
    parts, backbone = parts_of(network), backbone_of(network)
    cost = _cost(network, measured, tile, notes)
    return Description(
        head=run.model.head_name or str(run.model.model_path),
        backbone=" ".join(part for part in (run.model.backbone, run.model.size_name) if part),
        tuning=(method_of(run).name, method_of(run).summary),
        parts=parts,
        adapted=adapted_kinds(network),
        depth=backbone.depth if backbone else 0,
        width=backbone.embed_dim if backbone else 0,
        patch_size=backbone.patch_size if backbone else 0,
        image_size=tile.size,
        batch_size=tile.batch,
        device=device,
        precision=precision_of(run, device),
        cost=cost,
        memory=estimated_memory(run.train, cost, parts) if cost else {},
        dataset=dataset.name if is_there else "",
        channels=_channels(dataset, schemes, statistics.per_channel),
        statistics_from=statistics.origin,
        outputs=network.num_classes,
        weights=weights_of(run, name),
        notes=notes.lines,
    )


def _schemes(dataset: Dataset, run: ViTnnUNetConfig, is_there: bool) -> list[str]:
    """Return the normalization of each channel, with which loss and augmentation have to fit."""
    if not is_there:
        return dataset.normalization_schemes()
    schemes = normalization_of(dataset, run.data.configuration)
    check_recipe(run.train, dataset.description, schemes)
    return schemes


def _cost(
    network: "ViTSegmentationNetwork", measured: "Measured", tile: "Tile", notes: "Notes"
) -> StepCost | None:
    from nnunet_vit.profiling.measured_run import cost_of

    try:
        return cost_of(network, measured, tile)
    except UserError:
        raise
    except Exception as error:  # a head may look at values, which tensors without memory lack
        reason = f"{type(error).__name__}: {first_line(error)}"
        notes.log(f"The step's cost cannot be measured: {reason}.")
        return None


def _channels(dataset: Dataset, schemes: list[str], statistics: ChannelStatistics) -> list[Channel]:
    ordered = [str(name) for name in in_order(dataset.description["channel_names"]).values()]
    if len(ordered) == 1:  # the bridge may show it to the weights as red, green and blue
        ordered, schemes = ordered * len(statistics[0]), schemes * len(statistics[0])
    return [Channel(*each) for each in zip(ordered, schemes, *statistics, strict=True)]


def weights_of(run: ViTnnUNetConfig, name: str) -> Weights:
    """Return where a run's backbone starts.

    Args:
        run: resolved.
        name: of the backbone, as timm has it.
    """
    licence, source = _published(run, name)
    if run.model.checkpoint_path:
        return Weights(name, run.model.checkpoint_path, f"the file's own ({name}: {licence})")
    if not run.model.pretrained:
        return Weights(name, "none: random weights", "none")
    return Weights(name, source, licence)


def _published(run: ViTnnUNetConfig, name: str) -> tuple[str, str]:
    """Return licence and source of the published weights."""
    if not is_timm(run.model.backbone):
        own = family(run.model.backbone)
        return own.licence, own.weights_of(run.model.size_name)
    if run.model.repository is not None:
        return "of the weights' model card", f"fetched from {run.model.repository} on the model hub"
    from nnunet_vit.modeling.vit.pretrained import published_by_timm

    published = published_by_timm(name)
    if published is None:
        return "unknown", "timm publishes none"
    return (
        published.licence or "of the weights' model card",
        f"fetched from {published.repository} on the model hub",
    )
