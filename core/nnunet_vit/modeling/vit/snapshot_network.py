"""The network that a snapshot's config.json asks for, built in place of the one its name gives."""

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from nnunet_vit.backbones import timm_name
from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, ModelError, shortened
from nnunet_vit.modeling.vit.snapshot_settings import arguments_of_settings
from nnunet_vit.modeling.vit.timm_models import build_timm
from nnunet_vit.modeling.vit.wiring import wiring_of
from nnunet_vit.modeling.weights.configs.timm_snapshot import TimmSnapshot, timm_snapshot
from nnunet_vit.modeling.weights.configs.transformers_config import transformers_snapshot
from nnunet_vit.modeling.weights.files.weights_reading import read_weights
from nnunet_vit.modeling.weights.names.extra_parts import FIRST, GATED, is_gated

RGB = 3
SIZE = (224, 224)  # pixels; of networks that are compared


def arguments_for(
    name: str, weights: Path, given: BackboneArguments, *, patch_size: int | None = None
) -> BackboneArguments:
    """Return the arguments of the network that some weights belong to.

    Args:
        name: timm's name of the backbone.
        weights: a file, or a snapshot folder.
        given: the run's own arguments; what config.json says is added to them.
        patch_size: that the run asks for; None: as it was pretrained.

    Raises:
        ConfigError: the backbone cannot be built with them.
        ModelError: config.json is damaged, says another backbone, or contradicts the run.
    """
    said = transformers_snapshot(weights)
    if said is not None:
        return arguments_of_settings(name, said, given, patch_size=patch_size)
    snapshot = timm_snapshot(weights)
    if snapshot is None:
        return given
    if snapshot.architecture != name.partition(".")[0]:
        _require_same(name, given, snapshot, patch_size=patch_size)
        return given
    asked = together(given, snapshot.arguments, snapshot.file)
    return _with_gated_mlp(name, asked, weights)


def together(given: BackboneArguments, said: BackboneArguments, file: Path) -> BackboneArguments:
    """Return the run's arguments and those of a config.json, which must not contradict them.

    Raises:
        ModelError: they do.
    """
    ours, theirs = given.given(), said.given()
    clashes = [
        f"{key} {ours[key]} in model.backbone_arguments, {theirs[key]} in {file}"
        for key in ours
        if key in theirs and ours[key] != theirs[key]
    ]
    if clashes:
        raise ModelError(
            f"The run and the snapshot ask for different networks: {'; '.join(clashes)}.",
            fix="leave these keys out of model.backbone_arguments, or copy the file of weights "
            "to a folder without config.json.",
        )
    return BackboneArguments(**{**theirs, **ours})


def _require_same(
    name: str, given: BackboneArguments, snapshot: TimmSnapshot, *, patch_size: int | None
) -> None:
    """Refuse another architecture, unless the network is the same under another name.

    Raises:
        ModelError: names the backbone that fits.
    """
    with torch.device("meta"):
        own = build_timm(name, SIZE, RGB, patch_size=patch_size, more=given)
        try:
            theirs = build_timm(
                snapshot.architecture, SIZE, RGB, patch_size=patch_size, more=snapshot.arguments
            )
            differences = _differences(theirs, own)
        except ConfigError as error:  # no ViT that works here
            raise ModelError(
                f"{snapshot.file} says architecture {snapshot.architecture}, which is no ViT of "
                f"timm's that can be built here; the backbone is timm's {name}.",
                fix=f"weights of {name}. If these are, copy the file of weights to a folder "
                "without config.json.",
            ) from error
    if differences:
        raise ModelError(
            f"{snapshot.file} says architecture {snapshot.architecture}, the backbone is timm's "
            f"{name}, another network: {shortened(differences)}.",
            fix=f"model.backbone: timm:{snapshot.architecture}, or weights of {name}.",
        )


def _differences(theirs: nn.Module, own: nn.Module) -> list[str]:
    """Return in what two networks differ, equal ones of all blocks in one."""
    found: dict[str, None] = {}
    for other, ours in (
        (_shapes(theirs), _shapes(own)),
        (wiring_of(theirs), wiring_of(own)),
    ):
        for key in dict.fromkeys([*other, *ours]):
            if other.get(key) != ours.get(key):
                place = re.sub(r"\.\d+\.", ".*.", key).removesuffix(".kind").lstrip(".")
                found[f"{place} {_shown(other.get(key))} instead of {_shown(ours.get(key))}"] = None
    return list(found)


def _shapes(model: nn.Module) -> dict[str, object]:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def _shown(value: object) -> str:
    return "none" if value is None else str(value)


def _with_gated_mlp(name: str, asked: BackboneArguments, weights: Path) -> BackboneArguments:
    """Add the gated MLP that a snapshot's tensors show and its config.json cannot say.

    The publishers of Virchow and UNI2-h give it in Python. What the tensors cannot show either is
    the activation of the gate: SiLU in all of them, which is reported.
    """
    if asked.mlp_layer is not None:
        return asked
    with torch.device("meta"):
        own = _shapes(build_timm(name, SIZE, RGB, more=asked))
    if FIRST not in own or is_gated(own):
        return asked
    held = {
        key: tuple(value.shape)
        for key, value in read_weights(weights).items()
        if isinstance(key, str) and isinstance(value, Tensor)
    }
    if held.get(FIRST) != own[FIRST] or not is_gated(held):
        return asked
    return BackboneArguments(**{**GATED, **asked.given()})


def as_snapshot_says(run: ViTnnUNetConfig) -> ViTnnUNetConfig:
    """Return the run with the network of its snapshot written out, so that plans can hold it.

    The network is built again for prediction, where the snapshot is gone.

    Raises:
        ConfigError: the backbone cannot be built so.
        ModelError: as arguments_for.
    """
    model = run.model
    if not (model.pretrained and model.checkpoint_path):
        return run
    name, weights = timm_name(model.backbone, model.size_name), Path(model.checkpoint_path)
    asked = arguments_for(name, weights, model.backbone_arguments, patch_size=model.vit_patch_size)
    if asked == model.backbone_arguments:
        return run
    return run.model_copy(update={"model": model.model_copy(update={"backbone_arguments": asked})})
