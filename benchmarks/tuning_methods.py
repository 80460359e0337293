"""Fine-tuning methods side by side on real microscopy, each killed once and gone on from.

    python benchmarks/tuning_methods.py FOLDER_WITH_DATASET502 WORK_FOLDER [--methods frozen full]

A small ViT is first trained from random weights and its backbone saved as a file of pretrained
weights. Then each method starts from that file, is killed (SIGKILL) after its first epoch, goes on
with --continue and predicts the 40 test images. Prints a table in Markdown.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

DATASET = "Dataset502_DSB2018"
METHODS = ("frozen", "last_blocks", "full", "lora", "rslora", "dora")
EPOCHS = 3
COMMAND = [sys.executable, "-c", "from nnunet_vit.cli import main; main()"]
BACKBONE = "model.backbone.model."  # where a finished model holds the ViT
RUN = """
data: {dataset: 502, configuration: 2d, fold: 0}
model: {head: segformer, backbone: "timm:vit_tiny_patch16_224", decoder: {hidden_size: 128}, %s}
lora: {enabled: false, r: 8}
train: {initial_lr: 0.001, weight_decay: 0.01, num_epochs: %d, num_iterations_per_epoch: 20,
        num_val_iterations_per_epoch: 4, batch_size: 8, patch_size: [256, 256], seed: 1}
"""


def vit_cli(*words, environment):
    """Run a command to its end and return what it printed."""
    done = subprocess.run(
        [*COMMAND, *map(str, words)], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def model_folder(output):
    """Return the folder that `train` prints last."""
    return Path(re.search(r"Model: (\S+)", output)[1])


def train_killed_once(config, environment):
    """Train, kill after the first epoch, go on; return the output of the second part."""
    command = [*COMMAND, "train", "--config", str(config), "--device", "cpu"]
    first = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    for line in first.stdout:
        if line.startswith("epoch 1/"):
            first.send_signal(signal.SIGKILL)
    first.wait()
    output = vit_cli(*command[len(COMMAND) :], "--continue", environment=environment)
    assert f"Resuming after epoch 1 of {EPOCHS}" in output, output
    return output


def save_backbone(model, path):
    """Save a finished model's ViT in timm's naming."""
    content = torch.load(model / "fold_0" / "checkpoint_final.pth", weights_only=True)
    weights = content["network_weights"]
    vit = {n.removeprefix(BACKBONE): t for n, t in weights.items() if n.startswith(BACKBONE)}
    save_file(vit, path)


def dice_on_test_images(model, data, folder, environment):
    """Predict the test images and return the mean Dice."""
    masks = folder / f"masks_{model.name}"
    images = data / DATASET / "imagesTs"
    vit_cli("predict", "-i", images, "-o", masks, "--model", model, "--device", "cpu",
            "--no-mirroring", environment=environment)  # fmt: skip
    scores = vit_cli("evaluate", "-p", masks, "-r", data / DATASET / "labelsTs",
                     environment=environment)  # fmt: skip
    return float(scores.split("mean ")[1].split()[0])


def row(method, config, data, folder, environment):
    """Train with a method and return its row of the table."""
    described = json.loads(vit_cli("describe", config, "--json", environment=environment))
    output = train_killed_once(config, environment)
    model = model_folder(output)
    seconds = [float(word) for word in re.findall(r"(\S+) s$", output, re.MULTILINE)]
    weights = max((model / "fold_0" / "ckpt").glob("*/weights.safetensors"))
    whole = model / "fold_0" / "checkpoint_final.pth"
    dice = dice_on_test_images(model, data, folder, environment)
    parts = [part for part in described["parts"] if not part["within"]]
    trained, total = (sum(part[key] for part in parts) for key in ("trained", "parameters"))
    small, all_of_it = weights.stat().st_size, whole.stat().st_size
    cells = (
        method,
        f"{trained / 1e6:.2f} M",
        f"{trained / total:.1%}",
        f"{small / 1e6:.1f} MB ({small / all_of_it:.0%})",
        f"{sum(seconds) / len(seconds):.0f} s",
        f"{dice:.3f}",
    )
    return f"| {' | '.join(cells)} |"


def pretrained(data, folder, environment):
    """Train a ViT from random weights and return the file of its backbone."""
    path = folder / "pretrained.safetensors"
    if path.is_file():
        return path
    config = folder / "pretrain.yaml"
    config.write_text(RUN % ("pretrained: false", 5))
    output = vit_cli("train", "--config", config, "--device", "cpu", environment=environment)
    model = model_folder(output)
    save_backbone(model, path)
    dice = dice_on_test_images(model, data, folder, environment)
    print(f"Pretraining, 5 epochs from random weights: Dice {dice:.3f}\n", flush=True)
    return path


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path, help="to work in; its pretrained weights are kept")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    given = parser.parse_args()
    folder = given.folder.absolute()
    folder.mkdir(exist_ok=True)
    environment = os.environ | {
        "nnUNet_raw": str(given.data.absolute()),
        "nnUNet_preprocessed": str(folder / "preprocessed"),
        "nnUNet_results": str(folder / "results"),
    }
    path = pretrained(given.data, folder, environment)
    print("| method | trained | of all | checkpoint (of the whole model) | per epoch | Dice |")
    print("|---|---|---|---|---|---|", flush=True)
    for method in given.methods:
        config = folder / f"{method}.yaml"
        config.write_text(RUN % (f"checkpoint_path: {path.name}, tuning: {method}", EPOCHS))
        print(row(method, config, given.data, folder, environment), flush=True)


if __name__ == "__main__":
    main()
