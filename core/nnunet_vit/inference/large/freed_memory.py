"""Freed memory goes back to the system: a prediction that takes hours takes no more of it."""

from nnunet_vit.report.startup import use_allocator

KEPT, BLOCK = 1 << 17, 1 << 20  # bytes


def give_back_blocks() -> None:
    """Let blocks of a megabyte and more be mapped one by one from now on, and unmapped when freed.

    What lies between smaller ones would stay with the process, more with every lane.
    """
    use_allocator(kept=KEPT, shared=BLOCK)
