"""Write synthetic fundus images and masks as a raw nnU-Net v2 dataset."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy

from nnunet_vit.config.names import DATASET
from nnunet_vit.errors import DataError
from nnunet_vit.sample.fundus import OPTIC_DISC, VESSEL, fundus_image

DATASET_NAME = "Dataset901_SampleFundus"
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
    """Write a dataset of RGB fundus-like images with exact masks of optic disc and vessels.

    Case k looks the same whatever the number of cases is; the test cases follow the training
    cases in their numbers. The dataset appears under its name only when it is complete.

    Args:
        folder: an nnU-Net raw folder, or the dataset's own folder if it is named DatasetXXX_Name.
        training_cases: images in imagesTr, 5 or more.
        test_cases: images in imagesTs, 0 or more; their masks go to labelsTs.
        image_size: the side of the square images, pixels, 64 or more.
        seed: the same seed gives the same files, byte for byte; 0 or more.

    Returns:
        The dataset's folder.

    Raises:
        DataError: if a number is too small or the dataset's place is taken.
        OSError: if the folder cannot be written.
    """
    numbers = {"training_cases": training_cases, "test_cases": test_cases}
    _check_numbers(numbers | {"image_size": image_size, "seed": seed})
    dataset = folder if DATASET.fullmatch(folder.name) else folder / DATASET_NAME
    _check_place(dataset)
    dataset.parent.mkdir(parents=True, exist_ok=True)
    # nnU-Net looks for names that start with "Dataset", so it never sees the unfinished one.
    with TemporaryDirectory(prefix=".sample_dataset_", dir=dataset.parent) as temporary:
        unfinished = Path(temporary) / dataset.name
        _write_cases(unfinished, training_cases, test_cases, image_size=image_size, seed=seed)
        _write_description(unfinished, training_cases)
        if dataset.exists():
            dataset.rmdir()
        unfinished.rename(dataset)
    return dataset


def _check_numbers(numbers: dict[str, int]) -> None:
    """Raise DataError for a number that is too small."""
    for name, number in numbers.items():
        smallest, reason = SMALLEST[name]
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


def _write_cases(
    dataset: Path, training_cases: int, test_cases: int, *, image_size: int, seed: int
) -> None:
    """Draw and save all cases; each has its own child of the seed."""
    from skimage.io import imsave

    for part in ("Tr", "Ts"):
        for kind in ("images", "labels"):
            (dataset / f"{kind}{part}").mkdir(parents=True)
    children = numpy.random.SeedSequence(seed).spawn(training_cases + test_cases)
    for number, child in enumerate(children):
        part = "Tr" if number < training_cases else "Ts"
        image, mask = fundus_image(numpy.random.default_rng(child), image_size)
        name = f"fundus_{number:03d}"
        imsave(dataset / f"images{part}" / f"{name}_0000.png", image, check_contrast=False)
        imsave(dataset / f"labels{part}" / f"{name}.png", mask, check_contrast=False)


def _write_description(dataset: Path, training_cases: int) -> None:
    """Write dataset.json; nnU-Net divides channels named rgb_to_0_1 by 255."""
    description = {
        "channel_names": {str(channel): "rgb_to_0_1" for channel in range(3)},
        "labels": {"background": 0, "optic_disc": OPTIC_DISC, "vessel": VESSEL},
        "numTraining": training_cases,
        "file_ending": ".png",
        "name": "SampleFundus",
        "description": "Synthetic fundus-like RGB images with exact masks; no real patients.",
        "licence": "CC0-1.0",
    }
    text = json.dumps(description, indent=4) + "\n"
    (dataset / "dataset.json").write_text(text, encoding="utf-8")
