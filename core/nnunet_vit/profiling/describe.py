"""A run described before anything is trained: network, cost, input, weights."""

from typing import TYPE_CHECKING

from nnunet_vit.backbones import family, is_timm, timm_name
from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.data.channels import in_order, normalization_of
from nnunet_vit.data.dataset import Dataset, has_regions
from nnunet_vit.data.input_normalization import input_statistics
from nnunet_vit.data.recipe_fit import check_recipe
from nnunet_vit.errors import UserError, first_line
from nnunet_vit.profiling.cost import Channel, Description, StepCost, Weights
from nnunet_vit.tuning import method_of

if TYPE_CHECKING:
    from nnunet_vit.modeling.network import ViTSegmentationNetwork
    from nnunet_vit.modeling.vit.timm_models import BackboneFacts
    from nnunet_vit.profiling.assumptions import Notes, Tile
    from nnunet_vit.profiling.step import Loss


def describe(run: ViTnnUNetConfig, device: str) -> Description:
    """Return all that can be known of a run without its weights and without memory.

    Args:
        run: resolved.
        device: that it would be trained on: cuda, cpu or mps.

    Raises:
        UserError: the network cannot be built as the run asks for, or the plans do not fit.
    """
    return _described(_with_its_network(run), device)


def _described(run: ViTnnUNetConfig, device: str) -> Description:
    from nnunet_vit.modeling.backbone import backbone_of
    from nnunet_vit.modeling.runtime.precision import computes_in_bfloat16
    from nnunet_vit.profiling.assumptions import Notes, dataset_of, tile_of
    from nnunet_vit.profiling.memory import estimated_memory
    from nnunet_vit.profiling.parts import adapted_kinds, parts_of

    notes = Notes()
    name = timm_name(run.model.backbone, run.model.size_name)
    facts = _facts(name, run.model)
    dataset, is_there = dataset_of(run, notes)
    known = dataset if is_there else None
    tile = tile_of(run, known, name, vit_patch=facts.patch_size, notes=notes)
    schemes = _schemes(dataset, run, is_there)
    statistics = input_statistics(dataset, run, facts, schemes=schemes, fetch=False)
    network = _network(dataset, run, tile, statistics=statistics.per_channel)
    parts, backbone = parts_of(network), backbone_of(network)
    cost = _cost(network, run, dataset, tile=tile, device=device, notes=notes)
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
        precision="bfloat16" if computes_in_bfloat16(run.model.precision, device) else "float32",
        cost=cost,
        memory=estimated_memory(run.train, cost, parts) if cost else {},
        dataset=dataset.name if is_there else "",
        channels=_channels(dataset, schemes, statistics.per_channel),
        statistics_from=statistics.origin,
        outputs=network.num_classes,
        weights=weights_of(run, name),
        notes=notes.lines,
    )


def _facts(name: str, model: ViTModelConfig) -> "BackboneFacts":
    from nnunet_vit.modeling.vit.timm_models import inspect_timm

    return inspect_timm(name, model.vit_patch_size, model.backbone_arguments)


def _schemes(dataset: Dataset, run: ViTnnUNetConfig, is_there: bool) -> list[str]:
    """Return the normalization of each channel, with which loss and augmentation have to fit."""
    if not is_there:
        return dataset.normalization_schemes()
    schemes = normalization_of(dataset, run.data.configuration)
    check_recipe(run.train, dataset.description, schemes)
    return schemes


def _with_its_network(run: ViTnnUNetConfig) -> ViTnnUNetConfig:
    """Return the run with what a snapshot says of its network; no hub is asked."""
    from nnunet_vit.modeling.vit.hub_network import as_repository_says
    from nnunet_vit.modeling.vit.snapshot_network import as_snapshot_says

    return as_snapshot_says(as_repository_says(run, fetch=False))


def _network(
    dataset: Dataset, run: ViTnnUNetConfig, tile: "Tile", *, statistics: ChannelStatistics
) -> "ViTSegmentationNetwork":
    from nnunet_vit.modeling.head import Head
    from nnunet_vit.profiling.fake_tensors import build_without_memory

    return build_without_memory(
        run,
        len(dataset.description["channel_names"]),
        dataset.number_of_outputs(),
        image_size=tile.size,
        statistics=statistics,
        deep_supervision=Head(run).deep_supervision,
    )


def _cost(
    network: "ViTSegmentationNetwork",
    run: ViTnnUNetConfig,
    dataset: Dataset,
    *,
    tile: "Tile",
    device: str,
    notes: "Notes",
) -> StepCost | None:
    from nnunet_vit.profiling.step import step_cost

    try:
        loss = _training_loss(network, run, dataset, tile=tile)
        return step_cost(network, run, tile, loss=loss, device=device)
    except UserError:
        raise
    except Exception as error:  # a head may look at values, which tensors without memory lack
        reason = f"{type(error).__name__}: {first_line(error)}"
        notes.log(f"The step's cost cannot be measured: {reason}.")
        return None


def _training_loss(
    network: "ViTSegmentationNetwork", run: ViTnnUNetConfig, dataset: Dataset, *, tile: "Tile"
) -> "Loss":
    """Return the loss of what the network returns in training, against an empty target."""
    import torch

    from nnunet_vit.modeling.head import Head
    from nnunet_vit.profiling.logits_loss import loss_of_run

    regions = has_regions(dataset.description)
    logits_loss = loss_of_run(run.train.loss, dataset)
    if not network.own_loss:
        return logits_loss
    loss = Head(run).loss(
        network.num_classes, regions, None, default_loss=lambda logits, _target: logits_loss(logits)
    )
    channels = network.num_classes if regions else 1
    return lambda outputs: loss(outputs, torch.zeros(tile.batch, channels, *tile.size))


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
