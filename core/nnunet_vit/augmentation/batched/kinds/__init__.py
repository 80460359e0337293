"""nnU-Net's transforms on whole batches: this folder's files are the list of those that there are.

A file has BATCHED, a tuple of subclasses of `BatchedTransform`. The parameters of each patch are
drawn by the transform of batchgeneratorsv2 itself, so that their distribution is its own; what is
done with them is done here, with few operations for the whole batch, on the device of its images.
"""

from functools import cache

from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

from nnunet_vit.augmentation.batched.batched_transform import BatchedTransform
from nnunet_vit.registry.lookup import modules_of


@cache
def _kinds() -> dict[type, type[BatchedTransform]]:
    modules = modules_of(__name__, __path__)
    return {kind.of: kind for module in modules for kind in module.BATCHED}


def obstacle_of(transform: BasicTransform) -> str:
    """Return why batches cannot be given to a transform; nothing: they can.

    A subclass is not its base class, and one with settings that nobody knows here is another one.
    """
    kind = _kinds().get(type(transform))
    if kind is None:
        return f"{type(transform).__name__} works on single patches"
    return kind.obstacle(transform)


def batched(transform: BasicTransform) -> BatchedTransform:
    """Return a transform without an obstacle for whole batches."""
    return _kinds()[type(transform)](transform)
