"""The sum of a loss' terms, called as nnU-Net calls its own losses."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunet_vit.errors import PluginError
from nnunet_vit.losses.computing.compared import Compared, compared
from nnunet_vit.losses.computing.facts import LossFacts
from nnunet_vit.losses.term import ChosenTerm


class TotalLoss(nn.Module):
    """The weighted sum of terms, of logits at one resolution."""

    def __init__(self, terms: Sequence[ChosenTerm], facts: LossFacts) -> None:
        """Keep the terms, at least one."""
        super().__init__()
        self.terms = tuple(terms)
        self.facts = facts

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits (B, C, H, W) against a target, see `compared`."""
        both = compared(logits, target, self.facts)
        return torch.stack([self._value(chosen, both) for chosen in self.terms]).sum()

    def _value(self, chosen: ChosenTerm, both: Compared) -> Tensor:
        value = chosen.term.value(both, chosen.options)
        if not isinstance(value, Tensor) or value.shape != ():
            found = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise PluginError(
                f"The loss term '{chosen.term.name}' returned {found}; needed: a tensor of one "
                "number."
            )
        return chosen.options.weight * value
