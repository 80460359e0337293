"""What the network subtracts from each input channel and divides by, and who says so."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.backbones import family, is_timm, timm_name
from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.errors import ConfigError

if TYPE_CHECKING:
    from nnunet_vit.modeling.vit.timm_models import BackboneFacts

CHANGE = "model.input_mean and model.input_std"


@dataclass(frozen=True)
class InputStatistics:
    """Mean and std of the run's input channels.

    Attributes:
        per_channel: mean and std per input channel, or three of each for a single one.
        origin: who says them, in words.
        notice: what the user should look at, one line; empty where nothing is uncertain.
    """

    per_channel: ChannelStatistics
    origin: str
    notice: str = ""


@dataclass(frozen=True)
class _OfWeights:
    mean: tuple[float, ...]
    std: tuple[float, ...]
    origin: str
    remark: str = ""  # follows the numbers and their origin in the notice, if there is one


def input_statistics(
    dataset: Dataset,
    run: ViTnnUNetConfig,
    backbone: "BackboneFacts | None",
    *,
    schemes: list[str] | None = None,
    fetch: bool = True,
) -> InputStatistics:
    """Return the run's own statistics, or those of the weights.

    Args:
        dataset: its normalization decides which channels need them.
        run: resolved.
        backbone: the ViT's facts; a family needs none.
        schemes: nnU-Net's normalization of each channel by the plans; None: by dataset.json.
        fetch: whether the hub may be asked for the config.json of a repository.

    Raises:
        ConfigError: the run's numbers are not as many as the dataset's channels.
        DataError: an input channel that no statistics fit.
        ModelError: a snapshot folder's own statistics cannot be used.
    """
    from nnunet_vit.modeling.bridge import UNIT_RANGE, channel_statistics

    schemes = dataset.normalization_schemes() if schemes is None else schemes
    given = _given(dataset, run.model, len(schemes))
    if given is not None:
        return InputStatistics(given, "model.input_mean and input_std")
    weights = _of_weights(run.model, backbone, fetch)
    per_channel = channel_statistics(schemes, weights.mean, weights.std)
    if not any(scheme in UNIT_RANGE for scheme in schemes):
        return InputStatistics(per_channel, "nnU-Net's own normalization")
    if not weights.remark:
        return InputStatistics(per_channel, weights.origin)
    numbers = f"mean {_text(weights.mean)}, std {_text(weights.std)}"
    notice = f"Input statistics: {numbers}, from {weights.origin}{weights.remark}"
    return InputStatistics(per_channel, weights.origin, notice)


def _given(dataset: Dataset, model: ViTModelConfig, channels: int) -> ChannelStatistics | None:
    if model.input_mean is None or model.input_std is None:
        return None
    if len(model.input_mean) != channels:
        raise ConfigError(
            f"model.input_mean has {len(model.input_mean)} numbers; {dataset.name} has {channels} "
            "channels."
        )
    return ChannelStatistics(model.input_mean, model.input_std)


def _of_weights(model: ViTModelConfig, backbone: "BackboneFacts | None", fetch: bool) -> _OfWeights:
    """Return what a snapshot says, else what the family says, else the tag of the timm name."""
    from nnunet_vit.modeling.vit.hub_network import config_of_repository
    from nnunet_vit.modeling.weights.configs.statistics import statistics_of_snapshot

    path = Path(model.checkpoint_path)
    said = statistics_of_snapshot(path) if model.checkpoint_path else None
    if said is not None:
        return _OfWeights(said.mean, said.std, str(said.file), ".")
    if model.repository is not None and model.pretrained:
        said = statistics_of_snapshot(config_of_repository(model.repository, fetch).parent)
        if said is not None:
            return _OfWeights(said.mean, said.std, f"{said.file.name} of {model.repository}")
    name = timm_name(model.backbone, model.size_name)
    if not is_timm(model.backbone):
        mean, std = family(model.backbone).statistics_of(model.size_name)
        return _OfWeights(mean, std, f"the family's, {name}")
    assert backbone is not None
    if "." in name or not model.checkpoint_path:
        return _OfWeights(backbone.mean, backbone.std, f"the weights {name}")
    tag = f"timm's default tag {backbone.tag}" if backbone.tag else "timm's defaults"
    remark = f". If {path.name} was trained with others: {CHANGE}{_better_tag(name, backbone)}."
    return _OfWeights(
        backbone.mean, backbone.std, f"{tag} of {name}; the file does not say", remark
    )


def _better_tag(name: str, backbone: "BackboneFacts") -> str:
    """Return the words for a tag with other statistics, such as MAE's, or nothing."""
    from nnunet_vit.modeling.vit.pretrained import name_of_other_statistics

    other = name_of_other_statistics(name, (backbone.mean, backbone.std))
    return f", or a name with its tag, like timm:{other}" if other else ""


def _text(numbers: tuple[float, ...]) -> str:
    return " ".join(f"{number:g}" for number in numbers)
