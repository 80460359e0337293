"""The run file: its pydantic models, and the reader that answers with all problems at once."""

from nnunet_vit.config.models import (
    DataConfig,
    DecoderConfig,
    PathsConfig,
    ViTLoRAConfig,
    ViTModelConfig,
    ViTnnUNetConfig,
    ViTTrainConfig,
)

__all__ = [
    "DataConfig",
    "DecoderConfig",
    "PathsConfig",
    "ViTLoRAConfig",
    "ViTModelConfig",
    "ViTTrainConfig",
    "ViTnnUNetConfig",
]
