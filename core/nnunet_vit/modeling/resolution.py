"""The former path of nnunet_vit.blocks.resolution, kept for heads written for version 0.1."""

from nnunet_vit.blocks.resolution import doublings, resized

__all__ = ["doublings", "resized"]
