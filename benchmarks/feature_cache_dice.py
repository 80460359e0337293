"""Dice with kept features and without, after equal minutes and after equal steps, of several seeds.

    python benchmarks/feature_cache_dice.py DATASET_FOLDER WEIGHTS WORK_FOLDER [--minutes 10]

DATASET_FOLDER is a raw dataset in nnU-Net's format, WEIGHTS a weights file or snapshot folder of
the backbone. Fold 0; for each seed three trainings with a frozen backbone, one after the other:

- `plain`: as many epochs as fit into the minutes, by the time of its first epochs;
- `kept, equal steps`: the same number of epochs with train.feature_cache;
- `kept, equal minutes`: as many epochs with it as take the minutes of `plain`.

Each has the learning rates of its own length. Dice is nnU-Net's mean over the validation cases of
the fold after training. Prints a table in Markdown, each line when it is there. Times are those of
the epochs, without planning and final validation; a training that is killed is continued when
the same command is given again, finished ones are read.
"""

import argparse
import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from statistics import mean

TITLES = ("seed", "training", "epochs", "steps", "minutes", "Dice")
TRIED = 3  # epochs of the short trainings that tell an epoch's time, after those that make views


def overrides(given, seed, epochs, kept):
    """Return the words after --set."""
    words = [
        f"model.head={given.head}", f"model.backbone={given.backbone}", "model.tuning=frozen",
        f"model.checkpoint_path={given.weights.absolute()}", f"train.seed={seed}",
        f"train.num_epochs={epochs}", f"train.num_iterations_per_epoch={given.steps}",
        "train.num_val_iterations_per_epoch=5", f"train.batch_size={given.batch}",
        f"train.patch_size=[{given.size}, {given.size}]", "train.overlay_every=0",
        f"paths.raw={given.dataset.absolute().parent}",
        f"paths.preprocessed={given.work / 'preprocessed'}",
    ]  # fmt: skip
    if given.size_name:
        words.append(f"model.backbone_size={given.size_name}")
    return [*words, f"train.feature_cache={{views: {given.views}}}"] if kept else words


def trained(given, seed, epochs, kept, name):
    """Train, or take what is there; return Dice and the seconds of each epoch."""
    place = given.work / f"seed{seed} {name} {epochs}"
    summaries = list(place.glob("*/*/fold_0/validation/summary.json"))
    if not summaries:
        resumes = ["--continue"] if list(place.glob("*/*/fold_0/LATEST")) else []
        dataset = re.match(r"Dataset(\d+)_", given.dataset.name)[1]
        command = str(Path(sys.executable).with_name("vit_cli"))
        words = [command, "train", dataset, "2d", "0", "--device", given.device, *resumes, "--set",
                 *overrides(given, seed, epochs, kept), f"paths.results={place}"]  # fmt: skip
        done = subprocess.run(words, text=True, stdout=subprocess.PIPE, check=False)
        if done.returncode:
            sys.exit(f"{name}, seed {seed}: exit code {done.returncode}\n{done.stdout[-2000:]}")
        summaries = list(place.glob("*/*/fold_0/validation/summary.json"))
    dice = json.loads(summaries[0].read_text())["foreground_mean"]["Dice"]
    return dice, seconds_of(summaries[0].parents[1])


def seconds_of(fold):
    """Return the seconds of each epoch."""
    with (fold / "history.csv").open() as file:
        return [float(row["seconds"]) for row in csv.DictReader(file)]


def epochs_within(given, kept):
    """Return how many epochs fit into the minutes, by a short training; at least 2."""
    cases = len(list((given.dataset / "labelsTr").iterdir()))
    making = kept * -(-given.views * cases // (given.batch * given.steps))  # epochs, or fewer
    name = f"pace {'kept' if kept else 'plain'}"
    _, seconds = trained(given, 0, making + TRIED, kept, name)
    left = 60 * given.minutes - sum(seconds[: making + 1])  # the first one starts the workers
    return max(2, making + 1 + round(left / mean(seconds[making + 1 :])))


def arguments():
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--head", default="linear")
    parser.add_argument("--backbone", default="dinov2")
    parser.add_argument("--size-name", default="small", help="empty for a timm name")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=50, help="of an epoch")
    parser.add_argument("--views", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    given.work = given.work.absolute()
    return given


def main():
    """Train all and print the table."""
    given = arguments()
    plain, fast = epochs_within(given, False), epochs_within(given, True)
    ways = (("plain", plain, False), ("kept, equal steps", plain, True),
            ("kept, equal minutes", fast, True))  # fmt: skip
    print(f"| {' | '.join(TITLES)} |\n|{'---|' * len(TITLES)}", flush=True)
    found = {name: [] for name, _, _ in ways}
    for seed in range(given.seeds):
        for name, epochs, kept in ways:
            dice, seconds = trained(given, seed, epochs, kept, name)
            found[name].append(dice)
            row = (seed, name, epochs, epochs * given.steps, f"{sum(seconds) / 60:.1f}",
                   f"{dice:.3f}")  # fmt: skip
            print(f"| {' | '.join(map(str, row))} |", flush=True)
    for name, values in found.items():
        print(f"| mean | {name} | | | | {mean(values):.3f} |")


if __name__ == "__main__":
    main()
