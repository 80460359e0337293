"""Load a file of pretrained weights into a timm ViT, wholly or not at all."""

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import torch
from timm.layers import resample_abs_pos_embed
from timm.models._manipulate import adapt_input_conv
from torch import Tensor, nn

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights_file import read_weights

HARMLESS_EXTRA = (
    "head.",
    "head_dist.",
    "fc_norm.",
    "norm_pre_head.",
    "mask_token",
    "decoder",
    "rope",
)
HARMLESS_MISSING = ("norm.", "fc_norm.")
RGB = 3


def load_backbone_weights(model: nn.Module, path: Path) -> None:
    """Load a weights file (safetensors, or a .pth of plain tensors, in timm's or Meta's naming).

    The stem is adapted to the number of input channels and position embeddings to the image size.

    Raises:
        ModelError: the file is no weights file, holds objects that are not tensors, or does not
            cover the backbone.
    """
    tensors = _timm_layout(read_weights(path), model, path)
    _check_coverage(tensors, model, path)
    _check_values(tensors, model, path)
    model.load_state_dict(tensors, strict=False)


def _timm_layout(tensors: dict[str, Tensor], model: nn.Module, path: Path) -> dict[str, Tensor]:
    _refuse_lost_bias(tensors, model, path)
    tensors = _with_position_grid(tensors, model)
    convert = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if convert is not None:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # it prints a line per dropped bias
                tensors = dict(convert(tensors, model))
        except (KeyError, RuntimeError, AttributeError, ValueError) as error:
            raise _misfit(path, f"timm cannot convert it: {error!r}") from error
    return _with_stem(tensors, model, path)


def _refuse_lost_bias(tensors: dict[str, Tensor], model: nn.Module, path: Path) -> None:
    """Refuse a bias that timm would drop: its plain DINOv3 has none, Meta's files hold zeros."""
    own = {name for name, _ in model.named_parameters()}
    for key, value in tensors.items():
        layer = key.removesuffix(".qkv.bias")
        known = {key, f"{layer}.q_bias"} & own
        if layer != key and f"{layer}.qkv.weight" in own and not known and bool(value.any()):
            raise ModelError(
                f"{path}: {key} is not zero, and this backbone has no such bias.",
                fix="model.backbone: timm:<name>_qkvb, timm's variant with the bias.",
            )


def _with_position_grid(tensors: dict[str, Tensor], timm_model: nn.Module) -> dict[str, Tensor]:
    """Resize learned position embeddings; timm skips this where only the aspect differs."""
    model: Any = timm_model
    positions = tensors.get("pos_embed")
    target = getattr(model, "pos_embed", None)
    if positions is None or target is None or positions.ndim != 3:
        return tensors
    prefix = 0 if getattr(model, "no_embed_class", False) else int(model.num_prefix_tokens)
    edge = int((positions.shape[1] - prefix) ** 0.5)
    grid = tuple(model.patch_embed.grid_size)
    if edge * edge != positions.shape[1] - prefix or (edge, edge) == grid:
        return tensors
    resized = resample_abs_pos_embed(
        positions, new_size=list(grid), old_size=[edge, edge], num_prefix_tokens=prefix
    )
    return {**tensors, "pos_embed": resized}


def _with_stem(tensors: dict[str, Tensor], timm_model: nn.Module, path: Path) -> dict[str, Tensor]:
    model: Any = timm_model
    key = "patch_embed.proj.weight"
    channels = model.patch_embed.proj.in_channels
    stem = tensors.get(key)
    if stem is None or stem.ndim != 4 or stem.shape[1] == channels:
        return tensors
    if stem.shape[1] == 1:
        return {**tensors, key: stem.repeat(1, channels, 1, 1) / channels}
    if stem.shape[1] != RGB:
        raise ModelError(
            f"{path} was trained on {stem.shape[1]} channels, the images have {channels}; "
            f"weights of 1 or {RGB} channels can be adapted."
        )
    return {**tensors, key: adapt_input_conv(channels, stem)}


def _check_coverage(tensors: dict[str, Tensor], model: nn.Module, path: Path) -> None:
    own = model.state_dict().keys()
    missing = [key for key in own if key not in tensors]
    unknown = [key for key in tensors if key not in own]
    fatal = [key for key in missing if not key.startswith(HARMLESS_MISSING)]
    strange = [key for key in unknown if not key.startswith(HARMLESS_EXTRA)]
    if fatal or strange:
        raise _misfit(
            path,
            f"{len(own) - len(missing)} of {len(own)} tensors covered; "
            f"missing {_named(fatal)}; unknown {_named(strange)}",
        )


def _check_values(tensors: dict[str, Tensor], model: nn.Module, path: Path) -> None:
    own = model.state_dict()
    wrong = [
        f"{key} {tuple(value.shape)} instead of {tuple(own[key].shape)}"
        for key, value in tensors.items()
        if key in own and own[key].shape != value.shape
    ]
    if wrong:
        raise _misfit(path, f"{len(wrong)} tensors have another shape: {_named(wrong)}")
    if not all(
        torch.isfinite(value).all() for value in tensors.values() if value.is_floating_point()
    ):
        raise ModelError(f"{path} holds values that are not finite (NaN or infinity).")


def _misfit(path: Path, detail: str) -> ModelError:
    return ModelError(
        f"{path} does not fit the backbone: {detail}.",
        fix="check model.backbone and model.backbone_size against the file.",
    )


def _named(keys: list[str]) -> str:
    shown = ", ".join(keys[:3]) or "none"
    return shown if len(keys) <= 3 else f"{shown}, … ({len(keys)} in all)"
