"""Whether a file's tensors are those of the backbone: checked before anything is loaded."""

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.modeling.weights.coverage import percent
from nnunet_vit.modeling.weights.damaged_values import refuse_damage
from nnunet_vit.modeling.weights.names.ignored_keys import (
    is_fused_bias,
    is_inside,
    is_lacking,
    may_be_left_over,
    may_be_missing,
)
from nnunet_vit.modeling.weights.shapes.sizes import STEM, can_be_resized

Tensors = dict[str, Tensor]
QKV_BIAS = (".qkv.bias", ".q_bias", ".v_bias")


def refuse_lost_bias(
    tensors: Tensors, own: Tensors, path: Path, *, fitting: Callable[[], list[str]] = list
) -> None:
    """Refuse a bias that the backbone has no place for: plain DINOv3 has none of qkv.

    Raises:
        ModelError: a bias that is not zero would be dropped.
    """
    for name, tensor in tensors.items():
        if not is_fused_bias(name, own) or not bool(tensor.any()):
            continue
        fix = "model.backbone: timm:<name>_qkvb, timm's variant with the bias."
        if fits := fitting():
            fix = f"{', or '.join(fits)}: this network has the bias."
        if name.endswith(".k_bias"):
            fix = "choose weights whose attention has no bias of the keys; timm's has none."
        problem = f"{path}: {name} is not zero, and this backbone has no such bias."
        raise ModelError(problem, fix=fix)


def judge_names(
    tensors: Tensors,
    own: Tensors,
    expected: float,
    *,
    path: Path,
    fitting: Callable[[], list[str]] = list,
) -> None:
    """Refuse a file that lacks part of the backbone, or holds what the backbone does not know.

    With an expected share below 1 that share is enough, and what lies outside a ViT is left aside.
    What lies inside is another network, whatever is expected.

    Args:
        tensors: of the file, by the backbone's names.
        own: of the backbone.
        expected: share of the backbone's parameters.
        path: of the file.
        fitting: returns what to write in the run file for a backbone that has the tensors.

    Raises:
        ModelError: with the coverage.
    """
    _refuse_other_numbers(tensors, own, path)
    missing = [name for name in own if name not in tensors and not may_be_missing(name)]
    unknown = [
        name
        for name, tensor in tensors.items()
        if name not in own and not may_be_left_over(name, tensor, own)
    ]
    inside = [name for name in unknown if is_inside(name)]
    wrong = [_other_shape(name, tensors, own) for name in own if _is_of_another(name, tensors, own)]
    share = _share([name for name in own if _is_usable(name, tensors, own)], own)
    lacking = any(is_lacking(name, tensors) for name in missing)
    if wrong or inside or lacking or (expected == 1 and (missing or unknown)):
        same_stem = STEM in tensors and tensors[STEM].shape == own[STEM].shape
        fits = fitting() if inside or lacking or (wrong and same_stem) else []
        raise _misfit(tensors, own, path, wrong=wrong, missing=missing, unknown=unknown, fits=fits)
    if expected < 1 and share < expected:
        raise _misfit(
            tensors, own, path, missing=missing, unknown=unknown, expected=percent(expected)
        )


def _refuse_other_numbers(tensors: Tensors, own: Tensors, path: Path) -> None:
    """Refuse integers and the like, with whatever shapes: their scales lie elsewhere, or nowhere.

    Raises:
        ModelError: with the names.
    """
    floating = [name for name in own if own[name].is_floating_point() and name in tensors]
    other = [
        f"{name} {tensors[name].dtype} instead of {own[name].dtype}"
        for name in floating
        if not tensors[name].is_floating_point()
    ]
    if other:
        raise ModelError(
            f"{path}: {len(other)} of {len(floating)} tensors are no floating-point numbers, as in "
            f"quantized weights: {shortened(other)}.",
            fix="give the weights in floating point, as they were before they were quantized.",
        )


def judge_values(tensors: Tensors, own: Tensors, path: Path) -> None:
    """Refuse tensors of another shape than the backbone's, and damaged ones.

    Raises:
        ModelError: with the names.
    """
    wrong = [_other_shape(name, tensors, own) for name in own if not _same_kind(name, tensors, own)]
    if wrong:
        raise _misfit(tensors, own, path, wrong=wrong)
    refuse_damage(tensors, path)


def _same_kind(name: str, tensors: Tensors, own: Tensors) -> bool:
    tensor = tensors.get(name)
    return tensor is None or (
        tensor.shape == own[name].shape
        and tensor.is_floating_point() == own[name].is_floating_point()
    )


def _is_of_another(name: str, tensors: Tensors, own: Tensors) -> bool:
    return not _same_kind(name, tensors, own) and not (
        tensors[name].is_floating_point() and can_be_resized(name, tensors[name], own[name])
    )


def _is_usable(name: str, tensors: Tensors, own: Tensors) -> bool:
    return name in tensors and not _is_of_another(name, tensors, own)


def _share(names: list[str], own: Tensors) -> float:
    return sum(own[name].numel() for name in names) / sum(t.numel() for t in own.values())


def _other_shape(name: str, tensors: Tensors, own: Tensors) -> str:
    given, wanted = tensors[name], own[name]
    if given.shape == wanted.shape:
        return f"{name} {given.dtype} instead of {wanted.dtype}"
    return f"{name} {tuple(given.shape)} instead of {tuple(wanted.shape)}"


def _misfit(
    tensors: Tensors,
    own: Tensors,
    path: Path,
    *,
    wrong: list[str] | None = None,
    missing: list[str] | None = None,
    unknown: list[str] | None = None,
    expected: str = "",
    fits: Sequence[str] = (),
) -> ModelError:
    usable = [name for name in own if _is_usable(name, tensors, own)]
    facts = [
        f"{len(usable)} of {len(own)} tensors, {percent(_share(usable, own))} of parameters covered"
        + (f" where {expected} is expected" if expected else "")
    ]
    lacking = any(is_lacking(name, tensors) for name in missing or ())
    if missing and not (wrong or unknown) and missing == [n for n in own if n.endswith(QKV_BIAS)]:
        fits = ["model.backbone_arguments: {qkv_bias: false}"]
    parts = {"another shape": wrong, "missing": missing, "unknown": unknown}
    facts += [f"{what} {shortened(names)}" for what, names in parts.items() if names]
    return ModelError(
        f"{path} does not fit the backbone: {'; '.join(facts)}.",
        fix=_fix(wrong or [], missing or [], unknown or [], fits=fits, lacking=lacking),
    )


def _fix(
    wrong: list[str], missing: list[str], unknown: list[str], *, fits: Sequence[str], lacking: bool
) -> str:
    if fits:
        return f"{', or '.join(fits)}: this network has the file's tensors."
    fix = "check model.backbone and model.backbone_size against the file"
    if unknown and not (wrong or missing or any(map(is_inside, unknown))):
        fix += "; if these tensors are a head's, save the file without them"
    if missing and not (wrong or unknown or lacking):
        fix += "; where it is known to hold less, write its share in model.expected_coverage"
    return f"{fix}."
