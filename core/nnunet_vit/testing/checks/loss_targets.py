"""The targets that nnU-Net gives a head's own loss: classes or regions, with ignored pixels."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.errors import message_of
from nnunet_vit.modeling.head import Head, Loss
from nnunet_vit.testing.building import build, finest, images_of, run_of
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

CLASSES = 3
IGNORE = CLASSES  # nnU-Net gives the ignore label the number behind the last class
FIX = "create_loss: read has_regions and ignore_label, and leave ignored pixels out."


def check_targets(head: str, case: Case) -> str:
    """Check the loss of each kind of target; return a note for heads with nnU-Net's loss."""
    own = Head(run_of(head, case))
    if not own.has_loss:
        return "nnU-Net's loss takes the logits"
    size = case.pixels(3, 4)
    model = build(head, case, size, classes=CLASSES, deep_supervision=True).train()
    images = images_of(size)
    for has_regions, ignore in itertools.product((False, True), (None, IGNORE)):
        kind = f"{'regions' if has_regions else 'classes'}{', ignored pixels' if ignore else ''}"
        default = _default_loss(has_regions, ignore)
        loss = own.loss(CLASSES, has_regions, ignore, default_loss=default)
        target = _target(size, has_regions, ignore)
        value = _value(loss, model, images, target=target, kind=kind)
        if ignore is not None:
            _value(
                loss,
                model,
                images,
                target=_all_ignored(target, has_regions),
                kind=f"{kind}, all of them",
            )
        if has_regions and ignore is not None:
            other = _value(loss, model, images, target=_changed_where_ignored(target), kind=kind)
            _check_same(value, other)
    return ""


def _value(loss: Loss, model: nn.Module, images: Tensor, *, target: Tensor, kind: str) -> Tensor:
    torch.manual_seed(0)  # of dropout and of points that a loss draws
    try:
        value = loss(model(images), target)
    except Exception as error:
        raise ContractError(
            f"The head's loss fails for {kind}: {type(error).__name__}: {message_of(error, 300)}",
            fix=FIX,
        ) from error
    if value.ndim or not value.isfinite():
        raise ContractError(
            f"The head's loss for {kind} is {value.detach()}; needed: one finite number.",
            fix=FIX,
        )
    return value.detach()


def _check_same(value: Tensor, other: Tensor) -> None:
    if not torch.allclose(value, other, rtol=1e-5):
        raise ContractError(
            f"The head's loss for regions changes from {value:.6f} to {other:.6f} with the target "
            "of ignored pixels.",
            fix="leave out what the target's last channel marks with 1.",
        )


def _target(size: tuple[int, int], has_regions: bool, ignore: int | None) -> Tensor:
    """Return class numbers (2, 1, H, W) or regions (2, CLASSES and perhaps 1, H, W).

    The types are those of nnU-Net's loaders: int16, bool.
    """
    generator = torch.Generator().manual_seed(3)
    classes = torch.randint(0, CLASSES, (2, 1, *size), generator=generator)
    ignored = torch.zeros_like(classes, dtype=torch.bool)
    if ignore is not None:
        ignored[..., : size[1] // 4] = True
    if not has_regions:
        return classes.masked_fill(ignored, IGNORE).to(torch.int16)
    regions = [classes >= number for number in range(CLASSES)]
    return torch.cat([*regions, ignored][: CLASSES + (ignore is not None)], dim=1)


def _all_ignored(target: Tensor, has_regions: bool) -> Tensor:
    if not has_regions:
        return torch.full_like(target, IGNORE)
    return torch.cat([target[:, :-1], torch.ones_like(target[:, -1:])], dim=1)


def _changed_where_ignored(target: Tensor) -> Tensor:
    regions, ignored = target[:, :-1], target[:, -1:]
    return torch.cat([torch.where(ignored, ~regions, regions), ignored], dim=1)


def _default_loss(has_regions: bool, ignore: int | None) -> Loss:
    def loss(output: Tensor | Sequence[Tensor], target: Tensor) -> Tensor:
        target = target.float()
        logits = functional.interpolate(finest(output), size=target.shape[-2:])
        regions = target[:, :CLASSES] if has_regions else _one_hot(target)
        valid = 1 - target[:, -1:] if has_regions and ignore else torch.ones_like(target[:, -1:])
        valid = valid * (target != IGNORE) if not has_regions else valid
        each = functional.binary_cross_entropy_with_logits(logits, regions, reduction="none")
        return (each * valid).sum() / valid.sum().clamp(min=1)

    return loss


def _one_hot(target: Tensor) -> Tensor:
    return torch.cat([(target == number).float() for number in range(CLASSES)], dim=1)
