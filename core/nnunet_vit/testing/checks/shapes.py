"""Logits: their shape, their values, and that images in a batch do not know each other."""

import torch
from torch import Tensor

from nnunet_vit.testing.building import build, finest, images_of, logits_of, step_loss
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

# rows and columns in patches, batch, classes, channels
SIZES = (((4, 6), 2, 5, 3), ((3, 5), 1, 1, 1), ((5, 1), 1, 2, 4))
LARGEST = 6000.0  # nnU-Net sums logits times 10 in half precision, which ends at 65504


def check_shapes(head: str, case: Case) -> None:
    """Check logits at several sizes, batches, class counts and channels."""
    for (rows, columns), batch, classes, channels in SIZES:
        size = case.pixels(rows, columns)
        model = build(head, case, size, classes=classes, channels=channels)
        images = images_of(size, batch, channels)
        _check_logits(logits_of(model, images), (batch, classes, *size), f"images of {size} pixels")
        if batch == 1:  # statistics over a batch fail here
            loss = step_loss(head, case, model, images=images, classes=classes)
            _check_finite(loss, "the loss of a training step with one image")


def check_finite(head: str, case: Case) -> None:
    """Check that logits stay finite on flat and bright images and in bfloat16."""
    size = case.pixels(4, 6)
    model = build(head, case, size)
    for name, images in {
        "an image of zeros": torch.zeros(1, 3, *size),
        "an image of large values": 100 * images_of(size, 1),
    }.items():
        _check_finite(logits_of(model, images), f"the logits of {name}")
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        low = finest(model.eval()(images_of(size, 1)))
    _check_finite(low, "the logits in bfloat16 autocast")


def check_batch(head: str, case: Case) -> None:
    """Check that an image's logits are the same alone and beside another."""
    size = case.pixels(4, 6)
    model = build(head, case, size)
    images = images_of(size)
    together, alone = logits_of(model, images)[:1], logits_of(model, images[:1])
    if not torch.allclose(together, alone, rtol=1e-3, atol=1e-4):
        difference = (together - alone).abs().max().item()
        raise ContractError(
            f"In eval mode an image's logits change by {difference:.2g} with its neighbour in the "
            "batch.",
            fix="no statistics over the batch in prediction: GroupNorm or LayerNorm, not "
            "BatchNorm without running statistics.",
        )


def _check_logits(logits: Tensor, needed: tuple[int, ...], where: str) -> None:
    if tuple(logits.shape) != needed:
        raise ContractError(
            f"{where}: logits of shape {tuple(logits.shape)}; needed: {needed}.",
            fix="num_classes channels, and interpolate at the end to images.shape[-2:].",
        )
    _check_finite(logits, f"the logits of {where}")


def _check_finite(values: Tensor, what: str) -> None:
    if not bool(torch.isfinite(values).all()):
        raise ContractError(
            f"{what} hold values that are not finite.", fix="no log or division of 0."
        )
    largest = values.abs().max().item()
    if largest > LARGEST:
        raise ContractError(
            f"{what} reach {largest:.0f}; nnU-Net adds logits in half precision: at most "
            f"{LARGEST:.0f}.",
            fix="normalize the features before the classifier.",
        )
