"""Every head on real microscopy: the same small ViT from random weights, the same minutes.

    python benchmarks/learning.py FOLDER_WITH_DATASET502 WORK_FOLDER [--heads dpt] [--minutes 10]

A short run measures how long an epoch takes with the head; the real one gets as many iterations as
fill the minutes, and its learning rate falls to zero in just that time. Then it predicts the 40
test images. Prints a table in Markdown; run it on one free core (taskset) to compare with docs/.
"""

import argparse
import os
import signal
import subprocess
from importlib.metadata import entry_points
from pathlib import Path

from tuning_methods import COMMAND, dice_on_test_images, model_folder, vit_cli

EPOCHS, SHORT = 10, 3
ITERATIONS, VALIDATIONS = 6, 1  # of the short run's epochs; the real ones have a multiple of them
RUN = """
data: {dataset: 502, configuration: 2d, fold: 0}
model: {head: %s, backbone: "timm:vit_tiny_patch16_224", pretrained: false,
        decoder: {%s}}
train: {initial_lr: 0.001, weight_decay: 0.01, num_epochs: %d, num_iterations_per_epoch: %d,
        num_val_iterations_per_epoch: %d, batch_size: 8, patch_size: [256, 256], seed: 1}
"""


def written(head, options, epochs, times, folder):
    """Write a run file and return the words of the command that trains it."""
    config = folder / f"{head}_{epochs}.yaml"
    config.write_text(RUN % (head, options, epochs, times * ITERATIONS, times * VALIDATIONS))
    return ["train", "--config", str(config), "--device", "cpu", "--overwrite"]


def seconds_of_epochs(lines):
    """Return what the lines of epochs end with."""
    return [float(line.split()[-2]) for line in lines if line.startswith("epoch ")]


def seconds_of_an_epoch(head, options, folder, environment):
    """Return how long a short epoch takes; what follows the last is not waited for."""
    command = [*COMMAND, *written(head, options, SHORT, 1, folder)]
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in run.stdout:
        lines.append(line)
        if line.startswith(f"epoch {SHORT}/"):
            run.send_signal(signal.SIGKILL)
    run.wait()
    return min(seconds_of_epochs(lines)[1:])


def row(head, options, minutes, data, folder, environment):
    """Train a head for some minutes and return its row of the table."""
    share = minutes * 60 / EPOCHS / seconds_of_an_epoch(head, options, folder, environment)
    times = max(1, round(share))
    output = vit_cli(*written(head, options, EPOCHS, times, folder), environment=environment)
    seconds = seconds_of_epochs(output.splitlines())
    dice = dice_on_test_images(model_folder(output), data, folder, environment)
    cells = (f"`{head}`", EPOCHS * times * ITERATIONS, f"{sum(seconds) / 60:.1f}", f"{dice:.3f}")
    return f"| {' | '.join(map(str, cells))} |"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path, help="to work in")
    installed = sorted(entry_points(group="nnunet_vit.heads").names)
    parser.add_argument("--heads", nargs="+", default=installed)
    parser.add_argument("--options", default="", help='of the heads, like "hidden_size: 128"')
    parser.add_argument("--minutes", type=float, default=10)
    given = parser.parse_args()
    folder = given.folder.absolute()
    folder.mkdir(exist_ok=True)
    environment = os.environ | {
        "nnUNet_raw": str(given.data.absolute()),
        "nnUNet_preprocessed": str(folder / "preprocessed"),
        "nnUNet_results": str(folder / "results"),
        "nnUNet_n_proc_DA": "1",
    }
    print("| head | iterations | minutes | Dice |")
    print("|---|---|---|---|", flush=True)
    for head in given.heads:
        print(row(head, given.options, given.minutes, given.data, folder, environment), flush=True)


if __name__ == "__main__":
    main()
