"""The loss of a set of masks with a class each: match, then compare what is matched."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nnunet_vit.blocks.mask_classification.matching import (
    Matches,
    cheapest_matches,
    class_costs,
    cross_entropy_costs,
    dice_costs,
)
from nnunet_vit.blocks.mask_classification.points import PointSampler
from nnunet_vit.blocks.mask_classification.targets import Segments, segments_of
from nnunet_vit.errors import PluginError
from nnunet_vit.hookspecs import MaskHeadOptions

UNKNOWN = -100  # the class that is wanted of queries in an image without annotation


@dataclass(frozen=True)
class MaskClassificationLoss:
    """Cross entropy of classes, and cross entropy and Dice of masks, with a matching per stage.

    Every class (background too) or region that an image shows is one segment. In each stage each
    segment gets the query that fits it best; all other queries are to say "no object".

    Args:
        num_classes: of the logits: classes with background, or regions.
        has_regions: as create_loss is told.
        ignore_label: as create_loss is told. Ignored pixels take no part in matching and masks,
            images without any other pixel take no part at all.
        class_weight: of the classes' cross entropy, in matching and loss.
        mask_weight: of the masks' cross entropy, likewise.
        dice_weight: of the masks' Dice, likewise.
        no_object_weight: of "no object" in the classes' cross entropy.
        points: pixels at which masks are compared; all valid ones where there are no more.
    """

    num_classes: int
    has_regions: bool
    ignore_label: int | None
    _: KW_ONLY
    class_weight: float = 2.0
    mask_weight: float = 5.0
    dice_weight: float = 5.0
    no_object_weight: float = 0.1
    points: int = 12544

    @classmethod
    def of(
        cls,
        options: MaskHeadOptions,
        num_classes: int,
        has_regions: bool,
        ignore_label: int | None,
    ) -> "MaskClassificationLoss":
        """Return the loss with the weights of a head's options."""
        return cls(
            num_classes,
            has_regions,
            ignore_label,
            class_weight=options.class_weight,
            mask_weight=options.mask_weight,
            dice_weight=options.dice_weight,
            no_object_weight=options.no_object_weight,
            points=options.loss_points,
        )

    def __call__(self, outputs: Sequence[Mapping[str, Tensor]], target: Tensor) -> Tensor:
        """Return the sum over all stages, in float32 whatever the outputs are.

        Shapes: each stage has class_logits (B, Q, num_classes + 1), "no object" last, and
        mask_logits (B, Q, h, w); target as in hookspecs.create_loss.

        Raises:
            PluginError: class_logits have another number of channels.
        """
        with torch.autocast(target.device.type, enabled=False):
            segments = segments_of(target, self.num_classes, self.has_regions, self.ignore_label)
            sampler = PointSampler(segments.valid, self.points)
            losses = [
                self._stage(
                    self._checked(stage["class_logits"]).float(),
                    stage["mask_logits"].float(),
                    segments,
                    sampler=sampler,
                )
                for stage in outputs
            ]
            return torch.stack(losses).sum()

    def _checked(self, class_logits: Tensor) -> Tensor:
        if class_logits.shape[-1] != self.num_classes + 1:
            raise PluginError(
                f"The head's class_logits have {class_logits.shape[-1]} channels; needed: "
                f"{self.num_classes + 1}, one per class or region and a last one for no object."
            )
        return class_logits

    def _stage(
        self,
        class_logits: Tensor,
        mask_logits: Tensor,
        segments: Segments,
        *,
        sampler: PointSampler,
    ) -> Tensor:
        matches = self._matches(class_logits, mask_logits, segments, sampler=sampler)
        masks = mask_logits[matches.images, matches.queries]
        with torch.no_grad():
            points = sampler.uncertain(matches.images, masks)
            truth = _at(segments.masks[matches.images, matches.classes], points.pixels)
        values = sampler.sampled(masks[:, None], points.pixels)[:, 0]
        number = segments.present.sum().clamp(min=1)
        of_masks = mask_cross_entropy(values, truth, points.counted).sum() / number
        of_dice = mask_dice(values, truth, points.counted).sum() / number
        of_classes = self._class_loss(class_logits, matches, segments.annotated)
        return (
            self.class_weight * of_classes
            + self.mask_weight * of_masks
            + self.dice_weight * of_dice
            + 0 * mask_logits.sum()  # what made them gets a gradient even where nothing matches
        )

    @torch.no_grad()
    def _matches(
        self,
        class_logits: Tensor,
        mask_logits: Tensor,
        segments: Segments,
        *,
        sampler: PointSampler,
    ) -> Matches:
        points = sampler.uniform(torch.arange(len(mask_logits), device=mask_logits.device))
        values = sampler.sampled(mask_logits, points.pixels)
        truth = _at(segments.masks, points.pixels[:, None].expand(-1, self.num_classes, -1))
        costs = (
            self.class_weight * class_costs(class_logits)
            + self.mask_weight * cross_entropy_costs(values, truth, points.counted)
            + self.dice_weight * dice_costs(values, truth, points.counted)
        )
        return cheapest_matches(costs, segments.present)

    def _class_loss(self, class_logits: Tensor, matches: Matches, annotated: Tensor) -> Tensor:
        wanted = torch.full(class_logits.shape[:2], self.num_classes, device=class_logits.device)
        wanted[matches.images, matches.queries] = matches.classes
        weights = class_logits.new_ones(self.num_classes + 1)
        weights[-1] = self.no_object_weight
        total = (weights[wanted] * annotated[:, None]).sum().clamp(min=1e-6)
        known = wanted.masked_fill(~annotated[:, None], UNKNOWN)
        summed = functional.cross_entropy(
            class_logits.transpose(1, 2), known, weights, ignore_index=UNKNOWN, reduction="sum"
        )
        return summed / total


def mask_cross_entropy(values: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """Return each mask's mean sigmoid cross entropy (M), of logits and truth (M, K)."""
    losses = functional.binary_cross_entropy_with_logits(values, truth, reduction="none")
    return (losses * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)


def mask_dice(values: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
    """Return each mask's soft Dice loss (M), of logits and truth (M, K)."""
    shares, truth = values.sigmoid() * counted, truth * counted
    overlap = (shares * truth).sum(dim=1)
    return 1 - (2 * overlap + 1) / (shares.sum(dim=1) + truth.sum(dim=1) + 1)


def _at(masks: Tensor, pixels: Tensor) -> Tensor:
    """Return masks (..., H, W) at pixels (..., K), as 0 and 1."""
    return masks.flatten(-2).gather(-1, pixels).float()
