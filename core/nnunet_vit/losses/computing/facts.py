"""What a loss knows of a training before its first batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class LossFacts:
    """The classes of a training and what counts.

    Attributes:
        names: of the channels of the logits: background and classes, or regions.
        regions: whether they are regions, which may overlap.
        ignore_label: the number of pixels that do not count; of regions any number. None: all do.
        batch_dice: whether overlaps are taken over the batch, not over each image.
        class_weights: by name; a name that is missing has weight 1.
    """

    names: Sequence[str]
    regions: bool = False
    ignore_label: int | None = None
    batch_dice: bool = True
    class_weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def foreground(self) -> dict[str, int]:
        """The channels by name, without the background."""
        numbered = {name: number for number, name in enumerate(self.names)}
        return numbered if self.regions else dict(list(numbered.items())[1:])

    def channels(self, classes: Sequence[str] | None) -> list[int]:
        """Return the channels of the classes of these names; None: of all but the background."""
        known = self.foreground
        return [known[name] for name in (known if classes is None else classes)]

    def weights(self, channels: Sequence[int] | None = None) -> Tensor:
        """Return the weights of these channels; None: of all."""
        numbers = range(len(self.names)) if channels is None else channels
        return torch.tensor([self.class_weights.get(self.names[n], 1.0) for n in numbers])
