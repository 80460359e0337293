"""The network of a repository on the model hub: its config.json names it, so nothing is guessed."""

from pathlib import Path

from nnunet_vit.backbones import HUB_PREFIX, TIMM_PREFIX, repository_of
from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.hub.fetching import obtain
from nnunet_vit.modeling.hub.files import HubFile, cached
from nnunet_vit.modeling.hub.published import published_weights
from nnunet_vit.modeling.vit.snapshot_network import arguments_for, together
from nnunet_vit.modeling.weights.configs.statistics import CONFIG
from nnunet_vit.modeling.weights.configs.timm_snapshot import TimmSnapshot, timm_snapshot
from nnunet_vit.modeling.weights.files.snapshot import WHOLE


def as_repository_says(run: ViTnnUNetConfig, fetch: bool = True) -> ViTnnUNetConfig:
    """Return a run on `timm:hf-hub:OWNER/NAME` with its network written out; others as they are.

    So plans hold the network, and prediction needs no hub.

    Args:
        run: resolved.
        fetch: whether the hub may be asked for what is not on this machine.

    Raises:
        ModelError: config.json or the weights cannot be had, or name no network of timm's.
    """
    repository = repository_of(run.model.backbone)
    if repository is None:
        return run
    model = run.model
    snapshot = _snapshot(repository, fetch)
    weights = _weights(snapshot, repository, fetch) if model.pretrained else None
    update = {
        "backbone": f"{TIMM_PREFIX}{snapshot.architecture}",
        "backbone_arguments": _arguments(model, snapshot, weights),
        "repository": repository,
    }
    return run.model_copy(update={"model": model.model_copy(update=update)})


def config_of_repository(repository: str, fetch: bool = True) -> Path:
    """Return the path of a repository's config.json, fetched where that is allowed.

    Raises:
        ModelError: it cannot be had.
    """
    file = HubFile(repository, repository, CONFIG)
    if not fetch and cached(file) is None:
        raise ModelError(
            f"{CONFIG} of {repository}, which names the network, is not on this machine, and this "
            "command asks no hub.",
            fix="`vit_cli train` fetches it.",
        )
    return obtain([file])[1]


def _snapshot(repository: str, fetch: bool) -> TimmSnapshot:
    path = config_of_repository(repository, fetch)
    snapshot = timm_snapshot(path.parent)
    if snapshot is None:
        raise ModelError(
            f"{path} names no architecture of timm's: {HUB_PREFIX}{repository} is no model that "
            "timm's users publish.",
            fix="model.backbone: the family or the timm:<name> that it is, with the folder of the "
            "repository's files in model.checkpoint_path.",
        )
    return snapshot


def _weights(snapshot: TimmSnapshot, repository: str, fetch: bool) -> Path | None:
    files = [HubFile(repository, repository, name) for name in WHOLE]
    if not fetch and all(cached(file) is None for file in files):
        return None
    _, path = published_weights(snapshot.architecture, repository)
    return path


def _arguments(
    model: ViTModelConfig, snapshot: TimmSnapshot, weights: Path | None
) -> BackboneArguments:
    given = model.backbone_arguments
    if weights is None or weights.parent != snapshot.file.parent:  # of another commit
        return together(given, snapshot.arguments, snapshot.file)
    return arguments_for(snapshot.architecture, weights, given, patch_size=model.vit_patch_size)
