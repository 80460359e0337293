"""What a valid run file asks for and few people want: said, not refused."""

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.tuning import method_of

TRAINS_ALL = "full"


def notices(run: ViTnnUNetConfig) -> list[str]:
    """Return a sentence for each part of a resolved run that deserves a second look."""
    method = method_of(run)
    if run.model.pretrained or method.trains_backbone == "all":
        return []
    return [
        f"model.pretrained is false and tuning '{method.name}' keeps random weights in the "
        f"backbone. Set model.pretrained: true or model.tuning: {TRAINS_ALL}."
    ]
