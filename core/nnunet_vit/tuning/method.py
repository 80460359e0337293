"""What a fine-tuning method is: a name, what it trains, and how it changes a backbone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


Trains = Literal["all", "some", "none"]
TRAINS: tuple[Trains, ...] = get_args(Trains)
READABLE = ("r", "lora_alpha", "lora_dropout")  # keys of the section `lora`


@dataclass(frozen=True)
class TuningMethod:
    """A way to fine-tune a timm ViT that has its pretrained weights.

    Attributes:
        name: what `model.tuning` says.
        summary: one line for describe.
        tune: changes the model in place: what is trained, what is added.
        trains_backbone: how much of the pretrained weights is trained.
        uses_adapters: whether it reads the section `lora`; target_modules in any case.
        reads: the other keys of that section that it reads.
        said_by_arguments: whether `freeze_backbone` and `use_lora` say all of it, so that heads
            which build their own backbone can follow it.
    """

    name: str
    summary: str
    tune: "Callable[[nn.Module, ViTnnUNetConfig], None]"
    trains_backbone: Trains = "none"
    uses_adapters: bool = False
    reads: tuple[str, ...] = ()
    said_by_arguments: bool = False

    def __post_init__(self) -> None:
        """Refuse a description that nothing would follow."""
        if self.trains_backbone not in TRAINS:
            raise ValueError(
                f"trains_backbone is {self.trains_backbone!r}; allowed: {', '.join(TRAINS)}"
            )
        if not set(self.reads) <= set(READABLE):
            raise ValueError(f"reads is {self.reads!r}; allowed: some of {', '.join(READABLE)}")

    @property
    def leaves_backbone(self) -> bool:
        """Whether neither the pretrained weights nor anything beside them is trained."""
        return self.trains_backbone == "none" and not self.uses_adapters
