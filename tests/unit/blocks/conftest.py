"""Tensors are tiny here: one thread."""

from nnunet_folders import one_thread

__all__ = ["one_thread"]
