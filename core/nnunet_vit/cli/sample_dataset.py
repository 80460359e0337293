"""vit_cli sample-dataset: something to try everything on."""

from pathlib import Path
from typing import Annotated

import typer


def sample_dataset(
    folder: Annotated[Path, typer.Argument(help="nnU-Net's raw folder, or DatasetXXX_Name in it")],
    training_cases: Annotated[int, typer.Option(help="at least 5")] = 32,
    test_cases: Annotated[int, typer.Option(help="images that no fold trains on")] = 8,
    image_size: Annotated[int, typer.Option(help="edge of the images, pixels")] = 256,
    seed: Annotated[int, typer.Option(help="the same seed gives the same files")] = 0,
) -> None:
    """Write a small dataset of drawn fundus images with exact masks of optic disc and vessels."""
    from nnunet_vit.sample.drawn_dataset import write_sample_dataset

    written = write_sample_dataset(
        folder, training_cases, test_cases, image_size=image_size, seed=seed
    )
    print(f"{training_cases} training and {test_cases} test cases in {written}")
