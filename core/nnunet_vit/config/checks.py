"""What must hold between the keys of a run file, and between them and what is installed."""

import os
import re
from collections.abc import Callable
from math import ceil
from pathlib import Path

from nnunet_vit import backbones
from nnunet_vit.backbones.family import BackboneFamily
from nnunet_vit.config.draft import Draft
from nnunet_vit.config.head_options import head_plugin
from nnunet_vit.config.models import MODEL_PATH_ALIASES
from nnunet_vit.config.problems import shown
from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.registry.loading import LoadedPlugin, plugin_failures

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_NAME_WORDS = "a name of letters, digits, '_', '-' and '.'"
_LONGEST_MODULE = 200


def run_checks(draft: Draft) -> None:
    """Add the problems of all checks to the draft."""
    for check in _CHECKS:
        check(draft)


def load_head(draft: Draft) -> LoadedPlugin | None:
    """Import the head, or add the problem that prevents it and return None."""
    if not draft.sound("model.head", "model.model_path"):
        return None
    model = draft.config.model
    path = "model.head" if model.model_path is None else "model.model_path"
    try:
        return head_plugin(model)
    except ConfigError as error:
        draft.add(path, str(error))
    except PluginError as error:  # a module of model_path is the run file's choice, not a package
        draft.add(path, str(error), cause=error if model.head_name else None)
    return None


def absolute(path: str, folder: Path) -> str:
    """Return a path of the run file as an absolute one: it starts at the file's own folder."""
    return os.path.normpath(folder / os.path.expanduser(path))


def _check_head(draft: Draft) -> None:
    model = draft.config.model
    if not draft.sound("model.head", "model.model_path"):
        return
    if model.head is not None and model.model_path is not None:
        draft.add(
            "model.model_path",
            f"given {shown(model.model_path)} together with head {shown(model.head)}; "
            "allowed: one of the two",
        )
    if model.head is not None and not _NAME.fullmatch(model.head):
        draft.add("model.head", f"given {shown(model.head)}; allowed: {_NAME_WORDS}")
    if model.model_path is not None and not _is_module_name(model.model_path):
        draft.add(
            "model.model_path",
            f"given {shown(model.model_path)}; "
            "allowed: a dotted module name like my_package.my_model",
        )


def _is_module_name(path: str) -> bool:
    well_formed = all(part.isidentifier() for part in path.split("."))
    return path in MODEL_PATH_ALIASES or (well_formed and len(path) <= _LONGEST_MODULE)


def _check_backbone(draft: Draft) -> None:
    if not draft.sound("model.backbone"):
        return
    backbone = draft.config.model.backbone
    if backbones.is_timm(backbone):
        _check_timm(draft, backbone)
    elif not _NAME.fullmatch(backbone):
        draft.add("model.backbone", f"given {shown(backbone)}; allowed: {_NAME_WORDS}")
    else:
        _check_family(draft, backbone)


def _check_timm(draft: Draft, backbone: str) -> None:
    size = draft.config.model.backbone_size
    # A timm name is a name: hf-hub: and local-dir: would fetch or load what nobody has checked.
    if not _NAME.fullmatch(backbone.removeprefix(backbones.TIMM_PREFIX)):
        draft.add(
            "model.backbone",
            f"given {shown(backbone)}; allowed: timm:<name>, like timm:vit_base_patch16_224",
        )
    if draft.sound("model.backbone_size") and size is not None:
        draft.add(
            "model.backbone_size",
            f"given {shown(size)} with backbone {shown(backbone)}; "
            "allowed: null, because a timm name holds its size",
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
    _check_patch_size(draft, family)
    if not draft.sound("model.backbone_size"):
        return
    try:
        family.timm_name_of(draft.config.model.backbone_size)
    except ConfigError as error:
        draft.add("model.backbone_size", str(error))


def _check_patch_size(draft: Draft, family: BackboneFamily) -> None:
    size = draft.config.train.patch_size
    step = family.patch_size
    if not draft.sound("train.patch_size") or size is None or all(n % step == 0 for n in size):
        return
    smaller = [max(edge // step, 1) * step for edge in size]
    larger = [ceil(edge / step) * step for edge in size]
    nearest = " or ".join(dict.fromkeys([str(smaller), str(larger)]))
    draft.add(
        "train.patch_size",
        f"given {size}; allowed: multiples of {step}, the patch of backbone '{family.name}'; "
        f"nearest: {nearest}",
    )


def _check_weights(draft: Draft) -> None:
    if not draft.sound("model.checkpoint_path"):
        return
    model = draft.config.model
    given = model.checkpoint_path
    if not given:
        return
    if draft.sound("model.pretrained") and not model.pretrained:
        draft.add(
            "model.pretrained",
            f"given false together with checkpoint_path {shown(given)}; allowed: one of the two",
        )
    if fault := _file_fault(given, draft.folder):
        draft.add(
            "model.checkpoint_path",
            f"given {shown(given)}; {fault}; "
            "allowed: a weights file, or '' for the published weights",
        )


def _file_fault(given: str, folder: Path) -> str:
    if "\0" in given:
        return "no path"
    path = absolute(given, folder)
    if os.path.isfile(path):
        return ""
    return f"{'a folder' if os.path.isdir(path) else 'no such file'}: {path}"


def _check_folders(draft: Draft) -> None:
    for name, folder in draft.config.paths:
        if folder is not None and (not folder or "\0" in folder):
            draft.add(
                f"paths.{name}",
                f"given {shown(folder)}; allowed: a folder, or null for the variable nnUNet_{name}",
            )


def _check_intensities(draft: Draft) -> None:
    if not draft.sound("model.input_mean", "model.input_std"):
        return
    mean, std = draft.config.model.input_mean, draft.config.model.input_std
    if (mean is None) != (std is None):
        given, lacking = ("input_mean", "input_std") if std is None else ("input_std", "input_mean")
        draft.add(f"model.{given}", f"given without {lacking}; allowed: both or none")
    elif mean is not None and std is not None and len(mean) != len(std):
        draft.add(
            "model.input_std",
            f"given {shown(std)} with input_mean {shown(mean)}; "
            "allowed: one value per input channel in both",
        )


_CHECKS: tuple[Callable[[Draft], None], ...] = (
    _check_head,
    _check_backbone,
    _check_weights,
    _check_folders,
    _check_intensities,
)
