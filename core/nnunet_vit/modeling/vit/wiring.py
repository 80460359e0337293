"""What a ViT computes apart from its tensors: heads, activations, epsilons, rotary frequencies."""

from timm.layers import DropPath, PatchDropout
from torch import nn

IDLE = (nn.Identity, nn.Dropout, DropPath, PatchDropout)
POOLING = ("head", "fc_norm", "attn_pool")
# of training, of the images, and of what follows the features
ELSEWHERE = {
    "training",
    "num_classes",
    "global_pool",
    "pool_include_prefix",
    "grad_checkpointing",
    "fused_attn",
    "inplace",
    "dynamic_img_size",
    "strict_img_size",
}


def wiring_of(model: nn.Module) -> dict[str, object]:
    """Return every plain setting of a network's parts, by the part's name."""
    found: dict[str, object] = {}
    for place, part in model.named_modules():
        if isinstance(part, IDLE) or place.startswith(POOLING):
            continue
        found[f"{place}.kind"] = type(part).__name__
        found |= {
            f"{place}.{name}": value
            for name, value in vars(part).items()
            if isinstance(value, bool | int | float | str | tuple)
            and not name.startswith("_")
            and name not in ELSEWHERE
        }
    return found


def setting_of(model: nn.Module, path: str) -> object:
    """Return a setting by its path, like blocks.0.attn.num_heads; None: there is none."""
    found: object = model
    for name in path.split("."):
        if isinstance(found, nn.Sequential | nn.ModuleList):
            found = found[int(name)]
        else:
            found = getattr(found, name, None)
    return found
