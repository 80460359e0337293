"""Make a model and images for benchmarks/prediction.py, and run it: small pictures, or a volume.

    python benchmarks/prediction_models.py small WORK_FOLDER [--images 1000] [--rounds 1]
    python benchmarks/prediction_models.py volume WORK_FOLDER [--precision bfloat16]

`small`: pictures of 128 x 128 in colour, tiles as large. `volume`: 100 slices of 256 x 256, the
configuration 2d. Images are drawn; the ViT-Ti is trained for a few steps: what it says is no
matter here.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image

from nnunet_vit.files.json_file import write_json

COMMAND = [sys.executable, "-c", "from nnunet_vit.cli import main; main()"]
RUN = """
data: {dataset: 777, configuration: 2d, fold: all}
model: {head: segformer, backbone: "timm:vit_tiny_patch16_224", pretrained: false,
        precision: %s, decoder: {hidden_size: 128}}
train: {num_epochs: 1, num_iterations_per_epoch: 4, num_val_iterations_per_epoch: 1, batch_size: 4,
        patch_size: [%d, %d]}
"""


def drawn(shape, generator):
    """Return noise with a bright disc (a ball, in a volume), and its mask."""
    axes = np.ogrid[tuple(slice(size) for size in shape)]
    centre = [generator.uniform(0.3, 0.7) * size for size in shape]
    distance = sum(((at - middle) / size) ** 2 for at, middle, size in zip(axes, centre, shape,
                                                                         strict=True))  # fmt: skip
    mask = (distance < 0.04).astype(np.uint8)
    return mask * 90 + generator.integers(0, 120, shape), mask


def save(kind, images, masks, name, generator):
    """Write a case; its mask too where a folder is given."""
    if kind == "small":
        image, mask = drawn((128, 128), generator)
        coloured = np.stack([image, image // 2, 255 - image], axis=-1).astype(np.uint8)
        Image.fromarray(coloured).save(images / f"{name}_0000.png")
        if masks:
            Image.fromarray(mask).save(masks / f"{name}.png")
        return
    image, mask = drawn((256, 256, 6 if masks else 100), generator)
    spacing = np.diag([1.0, 1.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(image.astype(np.int16), spacing),
                 images / f"{name}_0000.nii.gz")  # fmt: skip
    if masks:
        nibabel.save(nibabel.Nifti1Image(mask, spacing), masks / f"{name}.nii.gz")


def made_dataset(kind, work, count):
    """Write the training cases and the images to predict; return the latter's folder."""
    raw, generator = work / "raw/Dataset777_Drawn", np.random.default_rng(0)
    for name in ("imagesTr", "labelsTr", "imagesTs"):
        (raw / name).mkdir(parents=True, exist_ok=True)
    training = 20 if kind == "small" else 5
    for number in range(training):
        save(kind, raw / "imagesTr", raw / "labelsTr", f"case_{number}", generator)
    for number in range(count):
        save(kind, raw / "imagesTs", None, f"new_{number:04d}", generator)
    names = ("R", "G", "B") if kind == "small" else ("CT",)
    write_json(
        {
            "channel_names": {str(number): name for number, name in enumerate(names)},
            "labels": {"background": 0, "disc": 1},
            "numTraining": training,
            "file_ending": ".png" if kind == "small" else ".nii.gz",
        },
        raw / "dataset.json",
    )
    return raw / "imagesTs"


def trained_model(kind, work, precision):
    """Train for a few steps and return the model folder."""
    size = 128 if kind == "small" else 256
    run = work / "run.yaml"
    run.write_text(RUN % (precision, size, size), encoding="utf-8")
    command = [*COMMAND, "train", "--config", str(run), "--device", "cpu", "--overwrite"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return re.search(r"Model: (\S+)", done.stdout)[1]


def main():
    """Make what is needed, then time the two commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("small", "volume"))
    parser.add_argument("work", type=Path)
    parser.add_argument("--images", type=int)
    parser.add_argument("--rounds", default="1")
    parser.add_argument("--precision", default="float32")
    given = parser.parse_args()
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(given.work.absolute() / name)
    count = given.images or (1000 if given.kind == "small" else 1)
    images = made_dataset(given.kind, given.work, count)
    model = trained_model(given.kind, given.work, given.precision)
    timing = Path(__file__).with_name("prediction.py")
    command = [sys.executable, timing, model, images, "--rounds", given.rounds, "--folds", "all"]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
