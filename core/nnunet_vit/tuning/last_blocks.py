"""The last blocks are trained: near the head the features change most from task to task."""

from typing import TYPE_CHECKING, Any

from nnunet_vit.errors import ConfigError
from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


def _tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Train the run's number of last blocks and the norm behind them.

    Raises:
        ConfigError: the backbone has fewer blocks.
    """
    from torch import nn

    blocks: Any = model.blocks
    wanted = run.model.trained_blocks
    if wanted > len(blocks):
        raise ConfigError(
            f"model.trained_blocks: given {wanted}; the backbone has {len(blocks)} blocks.",
            fix=f"a number from 1 to {len(blocks)}; model.tuning: full trains everything.",
        )
    model.requires_grad_(False)
    norm = getattr(model, "norm", None) or nn.Identity()  # SAM has none
    for part in (*blocks[len(blocks) - wanted :], norm):
        part.requires_grad_(True)


METHODS = (
    TuningMethod(
        "last_blocks",
        "the last blocks (model.trained_blocks) and the final norm are trained, the rest is frozen",
        _tune,
        trains_backbone="some",
    ),
)
