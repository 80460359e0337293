"""VeRA (https://arxiv.org/abs/2310.11454): two trained vectors per layer scale random matrices.

All layers share the matrices, which are never trained.
"""

from typing import TYPE_CHECKING

from nnunet_vit.tuning.adapters.inject import inject_adapters
from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig

SEED = 0  # of the shared matrices: they are drawn again, not stored


def _tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Inject adapters into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    from peft import VeraConfig

    inject_adapters(
        model,
        run.lora.target_modules,
        lambda pattern: VeraConfig(
            r=run.lora.r,
            vera_dropout=run.lora.lora_dropout,
            target_modules=pattern,
            projection_prng_key=SEED,
            save_projection=False,
        ),
    )


METHODS = (
    TuningMethod(
        "vera",
        "random matrices that all layers share, scaled by two trained vectors per layer",
        _tune,
        uses_adapters=True,
    ),
)
