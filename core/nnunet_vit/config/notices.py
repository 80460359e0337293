"""What a valid run file asks for and few people want: said, not refused."""

from collections.abc import Iterator

from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig
from nnunet_vit.tuning import TuningMethod, method_of
from nnunet_vit.tuning.method import READABLE

TRAINS_ALL = "full"


def notices(run: ViTnnUNetConfig) -> list[str]:
    """Return a sentence for each part of a resolved run that deserves a second look."""
    method = method_of(run)
    found = list(_unread(run.lora, method)) if method.uses_adapters else []
    if not run.model.pretrained and method.trains_backbone != "all":
        found.append(
            f"model.pretrained is false and tuning '{method.name}' keeps random weights in the "
            f"backbone. Set model.pretrained: true or model.tuning: {TRAINS_ALL}."
        )
    return found


def _unread(given: ViTLoRAConfig, method: TuningMethod) -> Iterator[str]:
    own = ViTLoRAConfig()
    for key in READABLE:
        value = getattr(given, key)
        if key not in method.reads and value != getattr(own, key):
            reads = ", ".join([*method.reads, "target_modules"])
            yield (
                f"lora.{key} is {value:g}, which tuning '{method.name}' does not read; it reads "
                f"{reads}. Leave it out of another run: it is part of this one's name."
            )
