"""What a patch says stays at that patch: not shifted, not scaled by 16/14, not turned."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.modeling.backbone import backbone_of, vits_of
from nnunet_vit.quantities import decimal_text
from nnunet_vit.testing.building import build, head_parameters, logits_of
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.small_vits import Case

ROWS, COLUMNS = 9, 11
PLACES = ((3, 7), (5, 3))
BORDER = 1  # patches that are not looked at: zero padding speaks up there
AROUND = 2  # patches on each side that belong to a response
DRAWS = 2  # random changes per place
TOO_FAR = 0.5  # patches
SILENT = 1e-4  # a response below is rounding
FIX = (
    "upsample with interpolate(size=images.shape[-2:], mode='bilinear') and align_corners left "
    "out; no fixed factors that assume patch 16, no swapped H and W."
)


def check_alignment(head: str, case: Case) -> None:
    """Check where a change in one patch shows: of the features, and of the image alone."""
    features, image = (_responses(head, case, kind) for kind in ("features", "image"))
    if features.max() < SILENT:
        raise ContractError(
            "A change in the features changes no logit.",
            fix="compute the logits from backbone.feature_maps(images, layers).",
        )
    _check_distances("features", features, case.vit.patch_size)
    if image.max() > SILENT * features.max():  # else the head looks at the features alone
        _check_distances("image", image, case.vit.patch_size)


def displacement(response: Tensor, place: Sequence[int], patch: int) -> tuple[float, float]:
    """Return by how many patches (down, right) a response (H, W) is off its patch (row, column)."""
    edge = BORDER * patch
    response = response[edge:-edge, edge:-edge]
    place = [index - BORDER for index in place]
    response = (response - response.median()).clamp(min=0)
    smooth = functional.avg_pool2d(response[None, None], patch, stride=1)[0, 0]
    peak = divmod(int(smooth.argmax()), smooth.shape[1])
    distance = [found / patch - wanted for found, wanted in zip(peak, place, strict=True)]
    if max(map(abs, distance)) > AROUND:
        return distance[0], distance[1]
    top, left = ((index - AROUND) * patch for index in place)
    extent = (2 * AROUND + 1) * patch
    window = response[top : top + extent, left : left + extent]
    pixels = (torch.arange(extent) + 0.5) / patch - AROUND - 0.5
    down = (window.sum(dim=1) * pixels).sum() / window.sum()
    right = (window.sum(dim=0) * pixels).sum() / window.sum()
    return float(down), float(right)


def centre_of(response: Tensor, unit: float) -> list[float]:
    """Return the centre of mass of a response (H, W) as row and column, counted at their middle.

    Args:
        response: not negative.
        unit: pixels per row and column that are counted.
    """
    rows, columns = (torch.arange(edge) + 0.5 for edge in response.shape)
    total = response.sum()
    return [
        ((response.sum(dim=1) * rows).sum() / total / unit - 0.5).item(),
        ((response.sum(dim=0) * columns).sum() / total / unit - 0.5).item(),
    ]


def beside(logits: Tensor) -> Tensor:
    """Return where the first class differs from the far corner: normalizing moves all the rest."""
    return (logits[0, 0] - logits[0, 0, -1, -1]).abs()


def _check_distances(kind: str, responses: Tensor, patch: int) -> None:
    for place, response in zip(PLACES, responses, strict=True):
        down, right = displacement(response, place, patch)
        if max(abs(down), abs(right)) >= TOO_FAR:
            raise ContractError(
                f"A change of the {kind} in patch (row {place[0]}, column {place[1]}) shows "
                f"{decimal_text(down, 2, signed=True)} patches lower and "
                f"{decimal_text(right, 2, signed=True)} patches further right; allowed: less "
                f"than {TOO_FAR}.",
                fix=FIX,
            )


def _responses(head: str, case: Case, kind: str) -> Tensor:
    """Return how much each pixel's logits move, (places, H, W)."""
    size = case.pixels(ROWS, COLUMNS)
    model = build(head, case, size)
    _enliven(model)
    count = len(PLACES) * DRAWS
    images = torch.zeros(1 + count, 3, *size)  # the first stays as it is
    features = _write_features(model, 1 + count)
    _still_attention(model)
    if kind == "image" or features is None:
        _change(images, case.vit.patch_size)
    else:
        _change(features.maps, 1)
    logits = logits_of(model, images)
    if features is not None and not features.asked:  # the head goes another way into the ViT
        given = backbone_of(model)
        assert given is not None
        del given.feature_maps
        _change(images, case.vit.patch_size)
        logits = logits_of(model, images)
    if logits.shape[-2:] != images.shape[-2:]:
        raise ContractError(
            f"Logits of {tuple(logits.shape[-2:])} pixels for images of {size}.", fix=FIX
        )
    # mirrored kernels lean to the other side by as much: what is left is no chance
    _mirror_kernels(model)
    moved = _moved(logits) + _moved(logits_of(model, images))
    return moved.view(len(PLACES), DRAWS, *size).sum(dim=1)


def _still_attention(model: nn.Module) -> None:
    """Let patches of the ViT not speak to each other: what they say is random here."""
    with torch.no_grad():
        for vit in vits_of(model):
            for name, part in vit.named_modules():
                if name.endswith("attn.proj") and isinstance(part, nn.Linear):
                    part.weight.zero_()


def _moved(logits: Tensor) -> Tensor:
    return (logits[1:] - logits[:1]).abs().sum(dim=1)


def _change(values: Tensor, edge: int) -> None:
    """Write one random vector over one patch of each element of the batch but the first."""
    for number in range(1, len(values)):
        row, column = (edge * index for index in PLACES[(number - 1) // DRAWS])
        area = values[number, :, row : row + edge, column : column + edge]
        area.copy_(2 * torch.randn(len(area), 1, 1).expand_as(area))


def _mirror_kernels(model: nn.Module) -> None:
    with torch.no_grad():
        for _, value in head_parameters(model):
            if value.ndim == 4:
                value.copy_(value.flip(2, 3))


def _enliven(model: nn.Module) -> None:
    """Give numbers to what starts at 0, such as the scale of a branch: 0 would hide its faults."""
    with torch.no_grad():
        for _, value in head_parameters(model):
            if not value.any():
                value.normal_(std=0.1)


class _Features:
    """Feature maps that the check writes; the ViT is not asked."""

    def __init__(self, batch: int, channels: int) -> None:
        self.maps = torch.zeros(batch, channels, ROWS, COLUMNS)
        self.asked = False

    def __call__(self, images: Tensor, layers: Sequence[int]) -> list[Tensor]:
        self.asked = True
        return [self.maps for _ in layers]


def _write_features(model: nn.Module, batch: int) -> _Features | None:
    given = backbone_of(model)
    if given is None:
        return None
    features = _Features(batch, given.embed_dim)
    given.feature_maps = features  # type: ignore[method-assign]
    return features
