"""The former path of nnunet_vit.blocks.resolution, kept for heads written for version 0.1."""

from nnunet_vit.blocks.resolution import Size, doublings, resized, upsamplings

__all__ = ["Size", "doublings", "resized", "upsamplings"]
