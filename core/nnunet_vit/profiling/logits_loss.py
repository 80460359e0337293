"""The loss of a run's logits against labels that are made up, for a step that is measured."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from nnunet_vit.config.loss_section import LossSection
from nnunet_vit.config.recipe import chosen_terms
from nnunet_vit.data.class_shares import channel_names
from nnunet_vit.data.dataset import Dataset, has_regions
from nnunet_vit.losses.computing.facts import LossFacts
from nnunet_vit.losses.computing.total_loss import TotalLoss
from nnunet_vit.losses.term import ChosenTerm, ClassOptions
from nnunet_vit.nnunet.stock_loss import loss_for

Labels = Callable[[int, int, int, int], Tensor]  # of batch, channels, height and width


def loss_of_run(
    section: LossSection, dataset: Dataset, target: Labels = torch.zeros
) -> Callable[[Tensor | list[Tensor]], Tensor]:
    """Return the loss of logits (B, C, H, W), or of a list of them.

    A label to ignore is left out, and so are classes that an assumed dataset does not have.

    Args:
        section: the run's.
        dataset: whose classes count.
        target: makes labels.
    """
    regions = has_regions(dataset.description)
    if section.is_nnunet:
        return loss_for(regions, target)
    facts = LossFacts(channel_names(dataset.description), regions)
    loss = TotalLoss([_with_known_classes(each, facts) for each in chosen_terms(section)], facts)

    def total(output: Tensor | list[Tensor]) -> Tensor:
        losses = []
        for level in [output] if isinstance(output, Tensor) else output:
            batch, outputs, height, width = level.shape
            labels = target(batch, outputs if regions else 1, height, width)
            losses.append(loss(level, labels))
        return torch.stack(losses).sum()

    return total


def _with_known_classes(chosen: ChosenTerm, facts: LossFacts) -> ChosenTerm:
    options = chosen.options
    known = facts.foreground
    if isinstance(options, ClassOptions) and not set(options.classes or ()) <= set(known):
        return replace(chosen, options=options.model_copy(update={"classes": None}))
    return chosen
