"""nnU-Net's augmentation of a batch on one core: sample by sample, and the whole batch at once.

    python benchmarks/augmentation.py [--repeats 9] [--channels 3]

Both change the same patches by nnU-Net's 2D set with its usual probabilities: batchgeneratorsv2 as
nnU-Net's loader calls it, with its collation, and `train.augmentation_device: gpu`, here on a CPU,
with its draws. They take turns, each repeat with other random numbers; medians are printed.
"""

import argparse
import statistics
import time

import numpy as np
import torch
from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from scipy.ndimage import gaussian_filter

from nnunet_vit.augmentation.batched.batched_set import BatchedSet
from nnunet_vit.augmentation.transforms.nnunet_set import without_stopwatch
from nnunet_vit.report import startup

CASES = ((16, 128), (12, 512))  # patches in a batch, edge in pixels
ANGLES = (-np.pi, np.pi)
SCALES = [[1, 1], [0.5, 0.5]]
RANGE = (0.85, 1.25)  # by which nnU-Net cuts larger patches


def patches(count, edge, channels):
    """Return images and masks of three labels, as large as nnU-Net's loader cuts them."""
    height, width = get_patch_size((edge, edge), ANGLES, ANGLES, ANGLES, RANGE)
    draw = np.random.default_rng(0)
    images = draw.standard_normal((count, channels, height, width), dtype=np.float32)
    field = gaussian_filter(draw.standard_normal((count, height, width)), (0, edge / 20, edge / 20))
    masks = np.digitize(field / field.std(), (0.5, 1.5)).astype(np.int16)
    return torch.from_numpy(images), torch.from_numpy(masks)[:, None]


def one_by_one(transforms, images, masks):
    """Do what nnU-Net's loader does with patches that it has read."""
    found = [
        transforms(image=image, segmentation=mask)
        for image, mask in zip(images, masks, strict=True)
    ]
    masks = zip(*(each["segmentation"] for each in found), strict=True)
    levels = [torch.stack(level) for level in masks]
    return torch.stack([each["image"] for each in found]), levels


def seconds_of(work, images, masks, seed):
    """Return the seconds of a batch, whose copies are not counted."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    images, masks = images.clone(), masks.clone()
    began = time.process_time()
    work(images, masks)
    return time.process_time() - began


def compare(count, edge, channels, repeats):
    """Print a line for one size."""
    transforms = nnUNetTrainer.get_training_transforms(
        (edge, edge), ANGLES, SCALES, (0, 1), False, use_mask_for_norm=[False] * channels
    )
    batched = BatchedSet(without_stopwatch(transforms.transforms))
    images, masks = patches(count, edge, channels)
    ways = (
        lambda *given: one_by_one(transforms, *given),
        lambda *given: batched(*given, batched.drawn(count, images.shape[1:])),
    )
    taken = [[seconds_of(way, images, masks, seed) for way in ways] for seed in range(repeats + 1)]
    slow, fast = (statistics.fmean(times) / count for times in zip(*taken[1:], strict=True))
    print(
        f"| {count} of {edge} x {edge}, {channels} channels | {1 / slow:.0f} | {1 / fast:.0f} "
        f"| {slow / fast:.1f} |",
        flush=True,
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--channels", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    startup.prepare()  # memory is kept between batches, as in a command
    print("| batch | images/s, one by one | images/s, batched | ratio |\n|---|---|---|---|")
    for count, edge in CASES:
        compare(count, edge, given.channels, given.repeats)


if __name__ == "__main__":
    main()
