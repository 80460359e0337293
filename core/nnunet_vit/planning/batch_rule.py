"""How many images a training step may have: nnU-Net's rule, and a bound of our own."""

from dataclasses import dataclass
from math import prod

from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.patch_candidates import tokens_of

LEAST = 2  # nnU-Net's
SHARE = 0.05  # of the dataset's pixels that a step may see, nnU-Net's
MOST_TOKENS = 16 * 1024  # a step: 16 images of 512 x 512 in patches of 16, as dense fine-tuning
# is published; nnU-Net starts from 12 such images
MOST_IMAGES = 32  # the rates of a run are not scaled with its batch
FAIR = 0.5  # of the bound: a batch that a larger patch is not worth less than


@dataclass(frozen=True)
class BatchBounds:
    """What batches are allowed for a patch.

    Attributes:
        least: images.
        fair: from so many images on a batch is worth no other sacrifice.
        most: images.
        reason: why not more, for people.
    """

    least: int
    fair: int
    most: int
    reason: str


def bounds_for(
    size: tuple[int, int], vit_patch: int, dataset: DatasetSize, *, least: int = LEAST
) -> BatchBounds:
    """Return the bounds of a batch.

    Args:
        size: (H, W) of the training patch, pixels.
        vit_patch: edge of the ViT's patches, pixels.
        dataset: whose pixels count.
        least: images, where the run needs more than nnU-Net does.
    """
    by_tokens = MOST_TOKENS // tokens_of(size, vit_patch)
    by_pixels = round(SHARE * dataset.pixels / prod(size))
    reasons = {
        f"{MOST_TOKENS} tokens a step": by_tokens,
        "5 % of the dataset's pixels a step": by_pixels,
        f"{MOST_IMAGES} images": MOST_IMAGES,
    }
    reason, most = min(reasons.items(), key=lambda each: each[1])
    if most <= least:
        return BatchBounds(least, least, least, f"the least; more would be above {reason}")
    return BatchBounds(least, max(least, round(FAIR * most)), most, f"more would be above {reason}")
