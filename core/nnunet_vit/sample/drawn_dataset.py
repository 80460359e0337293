"""Write synthetic fundus images and masks as a raw nnU-Net v2 dataset."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy

from nnunet_vit.config.name_rules import DATASET
from nnunet_vit.errors import DataError
from nnunet_vit.files.writable import check_writable
from nnunet_vit.sample.fundus import OPTIC_DISC, VESSEL, fundus_image

DATASET_NAME = "Dataset901_SampleFundus"
DESCRIPTION = {
    "channel_names": dict.fromkeys("012", "rgb_to_0_1"),  # nnU-Net divides those by 255
    "labels": {"background": 0, "optic_disc": OPTIC_DISC, "vessel": VESSEL},
    "file_ending": ".png",
    "name": "SampleFundus",
    "description": "Synthetic fundus-like RGB images with exact masks; no real patients.",
    "licence": "CC0-1.0",
}
SMALLEST = {
    "training_cases": (5, "nnU-Net splits the training cases into 5 folds"),
    "test_cases": (0, "it counts images"),
    "image_size": (64, "a smaller image cannot show a vessel"),
    "seed": (0, "numpy takes no negative seed"),
}


def write_sample_dataset(
    folder: Path,
    training_cases: int = 32,
    test_cases: int = 8,
    *,
    image_size: int = 256,
    seed: int = 0,
) -> Path:
    """Write RGB fundus-like images with exact masks and return the dataset's folder.

    `folder` is an nnU-Net raw folder, or the dataset's own if it is named DatasetXXX_Name;
    `image_size` is the edge, pixels. Case k looks the same whatever the number of cases is; the
    test cases, with masks in labelsTs, follow the training cases. The same seed gives the same
    bytes. A number that is too small or a place that is taken raises DataError.
    """
    _check_numbers(training_cases, test_cases, image_size, seed)
    dataset = folder if DATASET.fullmatch(folder.name) else folder / DATASET_NAME
    _check_place(dataset)
    check_writable(dataset.parent, str(dataset))
    dataset.parent.mkdir(parents=True, exist_ok=True)
    # nnU-Net looks for names that start with "Dataset", so it never sees an unfinished one.
    with TemporaryDirectory(prefix=".sample_dataset_", dir=dataset.parent) as temporary:
        unfinished = Path(temporary) / dataset.name
        for name in ("imagesTr", "labelsTr", "imagesTs", "labelsTs"):
            (unfinished / name).mkdir(parents=True)
        description = json.dumps(DESCRIPTION | {"numTraining": training_cases}, indent=4)
        (unfinished / "dataset.json").write_text(description + "\n", encoding="utf-8")
        parts = ["Tr"] * training_cases + ["Ts"] * test_cases
        _write_cases(unfinished, parts, image_size, seed=seed)
        if dataset.exists():
            dataset.rmdir()
        unfinished.rename(dataset)
    return dataset


def _check_numbers(*numbers: int) -> None:
    """Raise DataError for a number, in the order of SMALLEST, that is too small."""
    for number, (name, (smallest, reason)) in zip(numbers, SMALLEST.items(), strict=True):
        if number < smallest:
            raise DataError(
                f"{name} is {number}, but must be {smallest} or more: {reason}.",
                f"give {name} a value of {smallest} or more.",
            )


def _check_place(dataset: Path) -> None:
    """Raise DataError unless the dataset's folder is free or empty."""
    for folder in (dataset, *dataset.parents):
        if folder.exists() and not folder.is_dir():
            raise DataError(
                f"{folder} is a file, so {dataset} cannot be made.", "give another folder."
            )
    if dataset.exists() and any(dataset.iterdir()):
        raise DataError(
            f"{dataset} already exists and is not empty.", "delete it or give another folder."
        )


def _write_cases(dataset: Path, parts: list[str], image_size: int, *, seed: int) -> None:
    """Draw and save one case for each part, "Tr" or "Ts"; each has its own child of the seed."""
    from skimage.io import imsave

    children = numpy.random.SeedSequence(seed).spawn(len(parts))
    for number, (part, child) in enumerate(zip(parts, children, strict=True)):
        image, mask = fundus_image(numpy.random.default_rng(child), image_size)
        name = f"fundus_{number:03d}"
        imsave(dataset / f"images{part}" / f"{name}_0000.png", image, check_contrast=False)
        imsave(dataset / f"labels{part}" / f"{name}.png", mask, check_contrast=False)
