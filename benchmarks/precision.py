"""Training in bfloat16 beside float32 on real microscopy: the loss on its way, and the Dice.

    python benchmarks/precision.py FOLDER_WITH_DATASET502 WORK_FOLDER [--heads dpt] [--seeds 3]
        [--steps 500] [--precisions float32 bfloat16]

A ViT from random weights is trained on fold 0 with each head, seed and precision for as many steps;
everything else is the same. Prints a table in Markdown with nnU-Net's training loss at the start
and at the end and the Dice of the fold's validation, then the mean Dice by head and precision. The
exit code is 1 where a loss is not finite or ends higher than it began.
"""

import argparse
import csv
import itertools
import json
import math
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from statistics import mean

from tuning_methods import model_folder, vit_cli

EPOCHS = 10
RUN = """
data: {dataset: 502, configuration: 2d, fold: 0}
model: {head: %(head)s, backbone: "%(backbone)s", pretrained: false, precision: %(precision)s}
train: {initial_lr: 0.001, weight_decay: 0.01, num_epochs: %(epochs)d, overlay_every: 0,
        num_iterations_per_epoch: %(iterations)d, num_val_iterations_per_epoch: 1,
        batch_size: 8, patch_size: [%(size)d, %(size)d], seed: %(seed)d}
"""


def trained(given, head, precision, seed):
    """Train once; return the training losses by epoch and the Dice."""
    values = {
        "head": head,
        "backbone": given.backbone,
        "precision": precision,
        "seed": seed,
        "size": given.size,
        "epochs": EPOCHS,
        "iterations": given.steps // EPOCHS,
    }
    config = given.work / f"{head}_{precision}_{seed}.yaml"
    config.write_text(RUN % values)
    words = ["train", "--config", config, "--device", "cpu", "--overwrite"]
    fold = model_folder(vit_cli(*words, environment=given.environment)) / "fold_0"
    with (fold / "history.csv").open() as file:
        losses = [float(row["train_loss"]) for row in csv.DictReader(file)]
    summary = json.loads((fold / "validation/summary.json").read_text())
    return losses, summary["foreground_mean"]["Dice"]


def diverged(losses):
    """Say whether a loss is not finite or does not fall."""
    return not all(map(math.isfinite, losses)) or losses[-1] >= losses[0]


def arguments():
    """Return what the command line says, and the environment of the commands."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--heads", nargs="+", default=sorted(
        entry.name for entry in entry_points(group="nnunet_vit.heads")))  # fmt: skip
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--backbone", default="timm:vit_tiny_patch16_224")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    folders = {"raw": given.data, "preprocessed": given.work / "pre", "results": given.work / "res"}
    given.environment = os.environ | {
        f"nnUNet_{name}": str(folder.absolute()) for name, folder in folders.items()
    }
    return given


def main():
    """Train all, print the tables."""
    given, found, bad = arguments(), {}, []
    print("| head | precision | seed | loss, first epoch | last epoch | Dice |\n|" + "---|" * 6)
    ways = itertools.product(given.heads, range(1, given.seeds + 1), given.precisions)
    for head, seed, precision in ways:
        losses, dice = trained(given, head, precision, seed)
        found.setdefault(head, {}).setdefault(precision, []).append(dice)
        bad += [f"{head}, {precision}, seed {seed}"] if diverged(losses) else []
        row = (head, precision, seed, f"{losses[0]:.3f}", f"{losses[-1]:.3f}", f"{dice:.4f}")
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    for head, dices in found.items():
        means = {precision: mean(values) for precision, values in dices.items()}
        print(f"{head}: mean Dice {', '.join(f'{p} {m:.4f}' for p, m in means.items())}")
    if bad:
        sys.exit(f"These do not learn: {'; '.join(bad)}.")


if __name__ == "__main__":
    main()
