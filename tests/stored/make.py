"""Make the stored set: models, an unfinished training and masks of the version that is installed.

    python tests/stored/make.py FOLDER

Run it with the version whose models the next ones must load, and commit what it writes. The ViT has
two blocks of 24 channels, so that a set stays below a megabyte.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from skimage.io import imread, imsave

EDGE, CASES, TEST_CASES = 64, 6, 2
ARGUMENTS = "{embed_dim: 24, depth: 2, num_heads: 2}"
BACKBONE = f"backbone: 'timm:vit_tiny_patch16_224', backbone_arguments: {ARGUMENTS}"
MODELS = {
    "full": "head: linear, pretrained: false",
    "lora": "head: segformer, checkpoint_path: weights.safetensors, tuning: lora, "
    "decoder: {hidden_size: 8, detail_channels: 0}",
    "frozen": "head: segformer, checkpoint_path: weights.safetensors, tuning: frozen, "
    "decoder: {hidden_size: 16, detail_channels: 4}",
    "own_loss": "head: eomt, pretrained: false",
}
RUN = """
data: {{dataset: 5, configuration: 2d, fold: 0}}
paths: {{raw: raw, preprocessed: preprocessed, results: results/{name}}}
model: {{{model}, {backbone}}}
train: {{initial_lr: 0.01, num_epochs: 3, num_iterations_per_epoch: 16, save_every: 1,
  num_val_iterations_per_epoch: 1, batch_size: 2, patch_size: [64, 64], seed: 0}}
"""


def draw(folder: Path) -> None:
    """Write a dataset of discs: pictures, labels and dataset.json."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:EDGE, :EDGE]
    for number in range(CASES + TEST_CASES):
        row, column, radius = (*random.uniform(20, 44, 2), random.uniform(8, 16))
        disc = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        image = np.stack([40 + 120 * disc, 90 + rows // 2, 90 + columns // 2], axis=-1)
        part = "Tr" if number < CASES else "Ts"
        for kind, name, pixels in (
            ("images", f"disc_{number}_0000.png", image),
            ("labels", f"disc_{number}.png", disc),
        ):
            path = folder / f"{kind}{part}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            imsave(path, pixels.astype(np.uint8), check_contrast=False)
    description = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": {"background": 0, "disc": 1},
        "numTraining": CASES,
        "file_ending": ".png",
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")


def write_weights(path: Path) -> None:
    """Write random weights of the small ViT, as a pretrained file."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    sizes = {"embed_dim": 24, "depth": 2, "num_heads": 2}
    vit = timm.create_model("vit_tiny_patch16_224", num_classes=0, img_size=EDGE, **sizes)
    save_file(vit.state_dict(), path)


def vit_cli(*arguments: str, killed_after: str = "") -> None:
    """Run a command in the current folder; killed_after: a pattern of a file that ends it."""
    process = subprocess.Popen(["vit_cli", *arguments], start_new_session=True)
    while killed_after and process.poll() is None and not list(Path().glob(killed_after)):
        time.sleep(0.02)
    if killed_after and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    if process.wait() != (-signal.SIGKILL if killed_after else 0):
        raise SystemExit(f"vit_cli {' '.join(arguments)}: {process.returncode}")


def prune(fold: Path, finished: bool) -> None:
    """Leave out what neither prediction of a full model nor resuming reads."""
    for path in (*fold.glob("*.txt"), *fold.glob("*.png"), *fold.glob("debug.json")):
        path.unlink()
    for folder in ("validation", *(["ckpt"] if finished else [])):
        shutil.rmtree(fold / folder, ignore_errors=True)
    for pointer in ("LATEST", "BEST") if finished else ():
        (fold / pointer).unlink()


def main(folder: Path) -> None:
    """Write the set."""
    folder.mkdir(parents=True)
    os.chdir(folder)
    os.environ.update({"nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1"})
    draw(Path("raw/Dataset005_Disc"))
    write_weights(Path("weights.safetensors"))
    for name, model in MODELS.items():
        run = Path(f"{name}.yaml")
        run.write_text(RUN.format(name=name, model=model, backbone=BACKBONE), encoding="utf-8")
        vit_cli("train", "--config", str(run), "--device", "cpu")
        (trained,) = Path(f"results/{name}").glob("*/*__2d")
        vit_cli("predict", "-i", "raw/Dataset005_Disc/imagesTs", "-o", f"masks/{name}",
                "--model", str(trained), "--device", "cpu")  # fmt: skip
        if not any(imread(mask).any() for mask in Path(f"masks/{name}").glob("*.png")):
            raise SystemExit(f"{name}: its masks are empty, and would show nothing.")
        prune(trained / "fold_0", finished=True)
        unfinished = Path(f"results/{name}_killed")
        changed = RUN.replace("results/{name}", "results/{name}_killed")
        run_killed = Path(f"{name}_killed.yaml")
        run_killed.write_text(changed.format(name=name, model=model, backbone=BACKBONE), "utf-8")
        vit_cli("train", "--config", str(run_killed), "--device", "cpu",
                killed_after=f"{unfinished}/*/*/fold_0/ckpt/epoch_00001/MANIFEST.json")  # fmt: skip
        (killed,) = unfinished.glob("*/*__2d")
        prune(killed / "fold_0", finished=False)
    for note in (*Path("masks").rglob("*.json"), *Path("preprocessed").glob("*/.*")):
        note.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
