"""What a training run holds in memory, from one measured step and the run's settings."""

from collections.abc import Sequence

from nnunet_vit.config.models import ViTTrainConfig
from nnunet_vit.profiling.cost import Part, StepCost

NUMBER = 4  # bytes: parameters, their gradients and the optimizer's state are float32
STATES = {"adamw": 2, "sgd": 1}  # per trained number


def estimated_memory(
    settings: ViTTrainConfig, cost: StepCost, parts: Sequence[Part]
) -> dict[str, int]:
    """Return bytes by part; their sum is the estimate of the most that is held at a time.

    Gradients come as activations go: at the peak only some of them are there.
    """
    kept = cost.weight_copies + cost.saved_activations
    gradients = min(cost.gradients, max(0, cost.peak - kept))
    trained = NUMBER * sum(part.trained for part in parts if not part.within)
    optimizer = settings.optimizer
    memory = {
        "parameters": cost.parameters,
        "gradients at the peak": gradients,
        f"optimizer state ({optimizer})": STATES[optimizer] * trained,
        "averaged weights (ema)": trained if settings.ema else 0,
        "weights in bfloat16": cost.weight_copies,
        "activations, backbone": cost.backbone_activations,
        "activations, head and loss": cost.head_activations,
        "temporary": max(0, cost.peak - kept - gradients),
    }
    return {name: size for name, size in memory.items() if size}
