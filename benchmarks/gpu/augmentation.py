"""nnU-Net's augmentation on a GPU, beside one core of this machine that augments patch by patch.

    python benchmarks/gpu/augmentation.py [--repeats 20]

Prints for each size how long a batch takes on the GPU and a patch on one core, and how many cores
the GPU stands for. Draws are made by the core in both cases, and the batch's copy is counted.
"""

import argparse
import statistics
import time

import numpy as np
import torch
from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_vit.augmentation.batched.batched_set import BatchedSet
from nnunet_vit.augmentation.transforms.nnunet_set import without_stopwatch

CASES = ((16, 128), (12, 512), (32, 512))  # patches in a batch, edge in pixels
ANGLES = (-np.pi, np.pi)


def compare(count, edge, repeats):
    """Print a line for one size."""
    transforms = nnUNetTrainer.get_training_transforms(
        (edge, edge), ANGLES, [[1, 1], [0.5, 0.5]], (0, 1), False, use_mask_for_norm=[False] * 3
    )
    batched = BatchedSet(without_stopwatch(transforms.transforms))
    larger = get_patch_size((edge, edge), ANGLES, ANGLES, ANGLES, (0.85, 1.25))
    images = torch.randn(count, 3, *larger).pin_memory()
    masks = torch.randint(0, 3, (count, 1, *(larger // 16 + 1))).repeat_interleave(16, 2)
    masks = masks.repeat_interleave(16, 3)[..., : larger[0], : larger[1]]
    masks = masks.to(torch.int16).contiguous().pin_memory()
    on_gpu, on_core = [], []
    for number in range(repeats + 3):
        drawn = batched.drawn(count, images.shape[1:])
        torch.cuda.synchronize()
        began = time.perf_counter()
        batched(images.cuda(non_blocking=True), masks.cuda(non_blocking=True), drawn)
        torch.cuda.synchronize()
        on_gpu.append(time.perf_counter() - began)
        place = number % count
        patch = {"image": images[place].clone(), "segmentation": masks[place].clone()}
        began = time.perf_counter()
        transforms(**patch)
        on_core.append(time.perf_counter() - began)
    batch, patch = statistics.median(on_gpu[3:]), statistics.fmean(on_core[3:])
    print(
        f"| {count} of {edge} x {edge} | {batch * 1000:.1f} ms | {patch * 1000:.1f} ms "
        f"| {count * patch / batch:.0f} |",
        flush=True,
    )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print("| batch | batch on the GPU | patch on one core | cores |\n|---|---|---|---|")
    for count, edge in CASES:
        compare(count, edge, given.repeats)


if __name__ == "__main__":
    main()
