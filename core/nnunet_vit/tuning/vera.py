"""VeRA (https://arxiv.org/abs/2310.11454): two trained vectors per layer scale random matrices.

All layers share the matrices, which are never trained.
"""

import math
import warnings
from typing import TYPE_CHECKING

from nnunet_vit.tuning.adapters.inject import inject_adapters
from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from numpy.random import RandomState
    from peft import PeftConfig
    from torch import Tensor, nn

    from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig

SEED = 0
ADAPTER = "default"


def _tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Inject adapters into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    inject_adapters(
        model, run.lora.target_modules, lambda pattern: _config(run.lora, pattern), inject=_inject
    )


def _config(lora: "ViTLoRAConfig", pattern: str) -> "PeftConfig":
    from peft import VeraConfig

    with warnings.catch_warnings():  # on matrices that are not saved: they are drawn again
        warnings.filterwarnings("ignore", "Specified to not save vera_A", UserWarning)
        return VeraConfig(
            r=lora.r,
            vera_dropout=lora.lora_dropout,
            target_modules=pattern,
            projection_prng_key=SEED,
            save_projection=False,
        )


def _inject(config: "PeftConfig", model: "nn.Module") -> None:
    """Put the adapters in, and draw the matrices again: numbers that every machine draws alike.

    Checkpoints leave the matrices out. peft's come from torch's generator, whose numbers another
    version may change; those of numpy's RandomState are promised to stay.
    """
    from numpy.random import RandomState
    from peft.tuners.vera import VeraLayer, VeraModel

    VeraModel(model, config, ADAPTER)
    layer = next(module for module in model.modules() if isinstance(module, VeraLayer))
    random = RandomState(SEED)
    for matrix in (layer.vera_A[ADAPTER], layer.vera_B[ADAPTER]):
        _fill(matrix, random)


def _fill(matrix: "Tensor", random: "RandomState") -> None:
    """Fill a matrix (rows, columns) as Kaiming's uniform initialization does."""
    import torch

    bound = math.sqrt(6 / matrix.shape[1])
    values = random.uniform(-bound, bound, tuple(matrix.shape))
    with torch.no_grad():
        matrix.copy_(torch.from_numpy(values))


METHODS = (
    TuningMethod(
        "vera",
        "random matrices that all layers share, scaled by two trained vectors per layer",
        _tune,
        uses_adapters=True,
        reads=("r", "lora_dropout"),
    ),
)
