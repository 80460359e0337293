"""How much of the true masks a grid of numbers can hold: python grid_limit.py LABELS

For each mask of a folder, the numbers on a grid are sought whose bilinear interpolation is nearest
to it, by gradient descent on the cross entropy. What is left is out of reach of a head with one
logit for each place of the grid, however good its features are: it has to come from the image.
"""

import sys
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from study_decoding import dice, labels_of
from torch.nn import functional

EDGES = (2, 4, 7, 14, 16)  # pixels between two places of the grid
STEPS, RATE = 150, 0.5


def held(mask, edge):
    """Return the best that a grid can hold of a mask (H, W) of one class."""
    truth = torch.from_numpy(mask.astype(np.float32))[None, None]
    size = truth.shape[-2:]
    grid = torch.zeros(1, 1, *(-(-each // edge) for each in size), requires_grad=True)
    optimizer = torch.optim.Adam([grid], RATE)
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = functional.interpolate(grid, size=size, mode="bilinear")
        functional.binary_cross_entropy_with_logits(logits, truth).backward()
        optimizer.step()
    return (functional.interpolate(grid, size=size, mode="bilinear")[0, 0] > 0).numpy().astype(int)


def main():
    """Print the mean Dice of all classes of all masks for each grid."""
    files = sorted(path for path in Path(sys.argv[1]).iterdir() if path.is_file())
    masks = [labels_of(path) for path in files]
    classes = [mask == label for mask in masks for label in set(np.unique(mask)) - {0}]
    print(f"{len(masks)} masks: Dice that a grid can hold")
    for edge in EDGES:
        dices = [dice(held(each, edge), each.astype(int)) for each in classes]
        print(f"  {edge:>2} pixels from place to place: {mean(dices):.3f}", flush=True)


if __name__ == "__main__":
    main()
