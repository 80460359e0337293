"""Logits and targets for every test of this room."""

from compared_batches import logits, target, value_of

__all__ = ["logits", "target", "value_of"]
