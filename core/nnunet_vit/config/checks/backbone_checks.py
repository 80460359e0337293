"""The backbone, its size and patches, and its pretrained weights: published ones or a file."""

import os
from pathlib import Path

from nnunet_vit import backbones
from nnunet_vit.config.draft import Draft
from nnunet_vit.config.name_rules import NAME, NAME_WORDS, absolute
from nnunet_vit.config.patch_multiples import is_multiple, multiples_around
from nnunet_vit.config.problems import shown
from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.registry.plugins import plugin_failures


def check_backbone(draft: Draft) -> None:
    """Validate `model.backbone` and its size; the ViT's patch must divide `train.patch_size`."""
    if not draft.sound("model.backbone"):
        return
    backbone = draft.config.model.backbone
    if backbones.is_timm(backbone):
        _check_timm(draft, backbone)
    elif not NAME.fullmatch(backbone):
        draft.add("model.backbone", f"given {shown(backbone)}; allowed: {NAME_WORDS}")
    else:
        _check_family(draft, backbone)
    _check_patch_size(draft)


def _check_timm(draft: Draft, backbone: str) -> None:
    size = draft.config.model.backbone_size
    repository = backbones.repository_of(backbone)
    if repository is not None:
        _check_repository(draft, backbone, repository)
    # A timm name is a name: local-dir: would load what nobody has checked.
    elif not NAME.fullmatch(backbone.removeprefix(backbones.TIMM_PREFIX)):
        draft.add(
            "model.backbone",
            f"given {shown(backbone)}; allowed: timm:<name>, like timm:vit_base_patch16_224, or "
            f"{backbones.HUB_PREFIX}OWNER/NAME",
        )
    if draft.sound("model.backbone_size") and size is not None:
        draft.add(
            "model.backbone_size",
            f"given {shown(size)} with backbone {shown(backbone)}; "
            "allowed: null, because a timm name holds its size",
        )


def _check_repository(draft: Draft, backbone: str, repository: str) -> None:
    model = draft.config.model
    if not backbones.REPOSITORY.fullmatch(repository):
        draft.add(
            "model.backbone",
            f"given {shown(backbone)}; allowed: {backbones.HUB_PREFIX}OWNER/NAME, the name of a "
            "repository on the model hub",
        )
    if draft.sound("model.repository") and model.repository is not None:
        draft.add(
            "model.repository",
            f"given {shown(model.repository)} with backbone {shown(backbone)}; allowed: one of the "
            "two",
        )
    if draft.sound("model.checkpoint_path") and model.checkpoint_path:
        draft.add(
            "model.checkpoint_path",
            f"given {shown(model.checkpoint_path)} with backbone {shown(backbone)}; allowed: '', "
            "or backbone timm:<architecture>, which config.json of the repository names",
        )


def check_weights_repository(draft: Draft) -> None:
    """Validate `model.repository`: weights of a timm model that are fetched from elsewhere."""
    model = draft.config.model
    given = model.repository
    if given is None or not draft.sound("model.repository", "model.backbone"):
        return
    if not backbones.REPOSITORY.fullmatch(given):
        draft.add("model.repository", f"given {shown(given)}; allowed: OWNER/NAME, or null")
    elif not backbones.is_timm(model.backbone):
        draft.add(
            "model.repository",
            f"given {shown(given)} with backbone {shown(model.backbone)}; allowed: null, or a "
            "backbone timm:<name>",
        )
    elif draft.sound("model.checkpoint_path") and model.checkpoint_path:
        draft.add(
            "model.repository",
            f"given {shown(given)} together with checkpoint_path {shown(model.checkpoint_path)}; "
            "allowed: one of the two",
        )


def _check_family(draft: Draft, backbone: str) -> None:
    try:
        with plugin_failures(f"Backbone '{backbone}'"):
            family = backbones.family(backbone)
            family.timm_name_of(None)
    except (ConfigError, PluginError) as error:
        cause = error if isinstance(error, PluginError) else None
        draft.add("model.backbone", str(error), cause)
        return
    if not draft.sound("model.backbone_size"):
        return
    try:
        family.timm_name_of(draft.config.model.backbone_size)
    except ConfigError as error:
        draft.add("model.backbone_size", str(error))


def _check_patch_size(draft: Draft) -> None:
    size = draft.config.train.patch_size
    step, origin = _vit_patch(draft)
    if size is None or not draft.sound("train.patch_size") or is_multiple(size, step):
        return
    nearest = multiples_around(size, step)
    draft.add(
        "train.patch_size",
        f"given {size}; allowed: multiples of {step}, {origin}; nearest: {nearest}",
    )


def _vit_patch(draft: Draft) -> tuple[int, str]:
    """Return the edge of the ViT's patches and where it is from; 1 where only timm knows it."""
    model, keys = draft.config.model, ("model.vit_patch_size", "model.patch_size")
    if draft.sound(*keys) and model.vit_patch_size is not None:
        return model.vit_patch_size, "model.vit_patch_size"
    unknown = not draft.sound("model.backbone", "model.backbone_size", *keys)
    if unknown or backbones.is_timm(model.backbone):
        return 1, ""
    edge = backbones.family(model.backbone).patch_size_of(model.backbone_size)
    return edge, f"the patch of backbone '{model.backbone}'"


_SNAPSHOT = "config.json"  # a folder that holds it is a model of the Hugging Face hub


def check_weights(draft: Draft) -> None:
    """Validate `model.checkpoint_path`, and what belongs to it."""
    if not draft.sound("model.checkpoint_path"):
        return
    if not draft.config.model.checkpoint_path:
        _check_published(draft)
        _check_expected(draft)
        _check_key(draft)
        return
    given = draft.config.model.checkpoint_path
    if draft.sound("model.pretrained") and not draft.config.model.pretrained:
        draft.add(
            "model.pretrained",
            f"given false together with checkpoint_path {shown(given)}; allowed: one of the two",
        )
    if fault := _fault(given, draft.folder):
        draft.add(
            "model.checkpoint_path",
            f"given {shown(given)}; {fault}; allowed: a weights file, a folder with config.json "
            "from the Hugging Face hub, or '' for the published weights",
        )


def _check_published(draft: Draft) -> None:
    model = draft.config.model
    sound = draft.sound("model.backbone", "model.backbone_size", "model.pretrained")
    if not sound or not model.pretrained or backbones.is_timm(model.backbone):
        return
    family = backbones.family(model.backbone)
    if not family.fetched:
        draft.add(
            "model.checkpoint_path",
            f"given ''; allowed: the path of the weights of backbone {shown(family.name)}, size "
            f"'{model.size_name}': {family.weights_of(model.size_name)}; "
            "or pretrained: false for random ones",
        )


def _check_expected(draft: Draft) -> None:
    expected = draft.config.model.expected_coverage
    if draft.sound("model.expected_coverage") and expected < 1:
        draft.add(
            "model.expected_coverage",
            f"given {shown(expected)} without checkpoint_path; "
            "allowed: 1.0, because published weights bring the whole backbone",
        )


def _check_key(draft: Draft) -> None:
    key = draft.config.model.checkpoint_key
    if draft.sound("model.checkpoint_key") and key is not None:
        draft.add(
            "model.checkpoint_key",
            f"given {shown(key)} without checkpoint_path; allowed: null, because published weights "
            "are one network",
        )


def _fault(given: str, folder: Path) -> str:
    if "\0" in given:
        return "no path"
    path = absolute(given, folder)
    if os.path.isfile(path) or os.path.isfile(os.path.join(path, _SNAPSHOT)):
        return ""
    if os.path.isdir(path):
        return f"a folder without {_SNAPSHOT}: {path}"
    return f"no such file: {path}"
