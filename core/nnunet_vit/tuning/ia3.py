"""(IA)³ (https://arxiv.org/abs/2205.05638): one trained factor per channel of a layer's output."""

from typing import TYPE_CHECKING

from nnunet_vit.tuning.adapters.inject import inject_adapters
from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


def _tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Inject factors into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: a factor has no influence on the features.
    """
    from peft import IA3Config

    inject_adapters(
        model,
        run.lora.target_modules,
        lambda pattern: IA3Config(target_modules=pattern, feedforward_modules=[]),
    )


METHODS = (
    TuningMethod(
        "ia3",
        "one factor per output channel of the blocks' linear layers; the weights stay frozen",
        _tune,
        uses_adapters=True,
    ),
)
