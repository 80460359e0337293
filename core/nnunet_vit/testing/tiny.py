"""The former path of nnunet_vit.testing.small_vits, kept for heads written for version 0.1."""

from nnunet_vit.testing.small_vits import PREFIX, SMALL_VITS, Case, SmallViT

__all__ = ["PREFIX", "TINY_VITS", "Case", "TinyVit"]

TINY_VITS, TinyVit = SMALL_VITS, SmallViT  # their former names
