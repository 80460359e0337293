"""A run described before anything is trained: network, cost, input, weights."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nnunet_vit.backbones import family, is_timm, timm_name
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import UserError
from nnunet_vit.modeling.description import Channel, Description, StepCost, Weights
from nnunet_vit.nnunet.data.channels import in_order, normalization_of
from nnunet_vit.nnunet.dataset import Dataset, has_regions
from nnunet_vit.nnunet.statistics import input_statistics
from nnunet_vit.tuning import method_of

if TYPE_CHECKING:
    from torch import Tensor

    from nnunet_vit.modeling.network import ViTSegmentationNetwork
    from nnunet_vit.nnunet.assumptions import Notes, Sizes

Statistics = tuple[list[float], list[float]]


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
    from nnunet_vit.modeling.description.memory import estimated_memory
    from nnunet_vit.modeling.description.parts import adapted_layers, parts_of
    from nnunet_vit.modeling.description.precision import in_bfloat16
    from nnunet_vit.modeling.timm_models import inspect_timm
    from nnunet_vit.nnunet.assumptions import Notes, dataset_of, sizes_of

    notes = Notes()
    name = timm_name(run.model.backbone, run.model.size_name)
    facts = inspect_timm(name, run.model.vit_patch_size, run.model.backbone_arguments)
    dataset, is_there = dataset_of(run, notes)
    sizes = sizes_of(run, dataset if is_there else None, name, facts.patch_size, notes)
    schemes = _schemes(dataset, run, is_there)
    statistics = input_statistics(dataset, run, facts, schemes, fetch=False)
    network = _network(dataset, run, sizes, statistics.per_channel)
    parts, backbone = parts_of(network), backbone_of(network)
    cost = _cost(network, run, dataset, sizes, device, notes)
    return Description(
        head=run.model.head_name or str(run.model.model_path),
        backbone=" ".join(part for part in (run.model.backbone, run.model.size_name) if part),
        tuning=(method_of(run).NAME, method_of(run).SUMMARY),
        parts=parts,
        adapted=adapted_layers(network),
        depth=backbone.depth if backbone else 0,
        width=backbone.embed_dim if backbone else 0,
        patch_size=backbone.patch_size if backbone else 0,
        image_size=sizes.image,
        batch_size=sizes.batch,
        device=device,
        precision="bfloat16" if in_bfloat16(run, device) else "float32",
        cost=cost,
        memory=estimated_memory(run, cost, parts) if cost else {},
        dataset=dataset.name if is_there else "",
        channels=_channels(dataset, schemes, statistics.per_channel),
        statistics_from=statistics.origin,
        outputs=network.num_classes,
        weights=_weights(run, name),
        notes=notes.lines,
    )


def _schemes(dataset: Dataset, run: ViTnnUNetConfig, is_there: bool) -> list[str]:
    if is_there:
        return normalization_of(dataset, run.data.configuration)
    return dataset.normalization_schemes()


def _with_its_network(run: ViTnnUNetConfig) -> ViTnnUNetConfig:
    """Return the run with what a snapshot says of its network; no hub is asked."""
    from nnunet_vit.modeling.hub_network import as_repository_says
    from nnunet_vit.modeling.snapshot_network import as_snapshot_says

    return as_snapshot_says(as_repository_says(run, fetch=False))


def _network(
    dataset: Dataset, run: ViTnnUNetConfig, sizes: "Sizes", statistics: Statistics
) -> "ViTSegmentationNetwork":
    from nnunet_vit.modeling.description.shadow import build_without_memory
    from nnunet_vit.modeling.factory import names_deep_supervision

    return build_without_memory(
        run,
        len(dataset.description["channel_names"]),
        dataset.number_of_outputs(),
        sizes.image,
        statistics,
        names_deep_supervision(run),
    )


def _cost(
    network: "ViTSegmentationNetwork",
    run: ViTnnUNetConfig,
    dataset: Dataset,
    sizes: "Sizes",
    device: str,
    notes: "Notes",
) -> StepCost | None:
    from nnunet_vit.modeling.description.step import step_cost

    try:
        loss = _training_loss(network, run, dataset, sizes)
        return step_cost(network, run, sizes.batch, sizes.image, loss, device)
    except UserError:
        raise
    except Exception as error:  # a head may look at values, which tensors without memory lack
        reason = (str(error).strip().splitlines() or [""])[0]
        notes.say(f"The step's cost cannot be measured: {type(error).__name__}: {reason}")
        return None


def _training_loss(
    network: "ViTSegmentationNetwork", run: ViTnnUNetConfig, dataset: Dataset, sizes: "Sizes"
) -> "Callable[[Any], Tensor]":
    """Return the loss of what the network returns in training, against an empty target."""
    if not network.own_loss:
        return loss_for(dataset)
    import torch

    from nnunet_vit.modeling.losses import own_loss

    regions, logits_loss = has_regions(dataset.description), loss_for(dataset)
    loss = own_loss(
        run, network.num_classes, regions, None, lambda logits, _target: logits_loss(logits)
    )
    channels = network.num_classes if regions else 1
    return lambda outputs: loss(outputs, torch.zeros(sizes.batch, channels, *sizes.image))


def loss_for(dataset: Dataset) -> "Callable[[Tensor | list[Tensor]], Tensor]":
    """Return nnU-Net's loss of logits (B, C, H, W), or a list of them, against an empty target.

    A label to ignore is left out: its loss looks at values.
    """
    import torch
    from nnunetv2.training.loss.compound_losses import DC_and_BCE_loss, DC_and_CE_loss
    from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

    dice = {"batch_dice": True, "smooth": 1e-5, "ddp": False}
    kind = {"dice_class": MemoryEfficientSoftDiceLoss}
    regions = has_regions(dataset.description)
    loss: Any = (
        DC_and_BCE_loss({}, {**dice, "do_bg": True}, **kind)
        if regions
        else DC_and_CE_loss({**dice, "do_bg": False}, {}, **kind)
    )

    def total(output: "Tensor | list[Tensor]") -> "Tensor":
        losses = []
        for level in [output] if isinstance(output, torch.Tensor) else output:
            batch, outputs, height, width = level.shape
            losses.append(loss(level, torch.zeros(batch, outputs if regions else 1, height, width)))
        return torch.stack(losses).sum()

    return total


def _channels(dataset: Dataset, schemes: list[str], statistics: Statistics) -> list[Channel]:
    ordered = [str(name) for name in in_order(dataset.description["channel_names"]).values()]
    if len(ordered) == 1:  # the bridge may show it to the weights as red, green and blue
        ordered, schemes = ordered * len(statistics[0]), schemes * len(statistics[0])
    return [Channel(*each) for each in zip(ordered, schemes, *statistics, strict=True)]


def _weights(run: ViTnnUNetConfig, name: str) -> Weights:
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
    import timm

    settings: Any = timm.get_pretrained_cfg(name)
    if settings is None or not settings.hf_hub_id:
        return "unknown", "timm publishes none"
    return (
        settings.license or "of the weights' model card",
        f"fetched from {settings.hf_hub_id} on the model hub",
    )
