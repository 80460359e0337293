"""Low-rank adapters beside the blocks' linear layers, three ways to scale them.

LoRA (https://arxiv.org/abs/2106.09685), rank-stabilized LoRA (https://arxiv.org/abs/2312.03732) and
DoRA (https://arxiv.org/abs/2402.09353).
"""

from functools import partial
from typing import TYPE_CHECKING, Literal

from nnunet_vit.tuning.adapters.inject import inject_adapters
from nnunet_vit.tuning.method import TuningMethod

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig


def _tune(
    model: "nn.Module", run: "ViTnnUNetConfig", use_rslora: bool = False, *, use_dora: bool = False
) -> None:
    """Inject adapters into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    from peft import LoraConfig

    lora = run.lora
    inject_adapters(
        model,
        lora.target_modules,
        lambda pattern: LoraConfig(
            r=lora.r,
            lora_alpha=lora.lora_alpha,
            lora_dropout=lora.lora_dropout,
            target_modules=pattern,
            init_lora_weights=_start(lora.r),
            use_rslora=use_rslora,
            use_dora=use_dora,
        ),
    )


def _start(rank: int) -> Literal["orthogonal", True]:
    # B = 0 lets A learn nothing in the first step; peft's orthogonal A and B are both alive, and
    # B A is 0 all the same. It needs an even rank.
    return "orthogonal" if rank % 2 == 0 else True


READS = ("r", "lora_alpha", "lora_dropout")
METHODS = (
    TuningMethod(
        "lora",
        "low-rank adapters in the blocks' linear layers; the pretrained weights stay frozen",
        _tune,
        uses_adapters=True,
        reads=READS,
        said_by_arguments=True,
    ),
    TuningMethod(
        "rslora",
        "LoRA scaled by lora_alpha / sqrt(r) instead of lora_alpha / r, so that high ranks learn",
        partial(_tune, use_rslora=True),
        uses_adapters=True,
        reads=READS,
    ),
    TuningMethod(
        "dora",
        "LoRA, and the length of each output channel's weights is trained as well",
        partial(_tune, use_dora=True),
        uses_adapters=True,
        reads=READS,
    ),
)
