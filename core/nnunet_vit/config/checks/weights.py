"""The pretrained weights: a file that is there, or published ones, or none."""

import os
from pathlib import Path

from nnunet_vit import backbones
from nnunet_vit.config.checks.names import absolute
from nnunet_vit.config.draft import Draft
from nnunet_vit.config.problems import shown

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
