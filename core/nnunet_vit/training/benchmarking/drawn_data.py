"""Drawn images for a run that names no dataset."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.sample.drawn_dataset import DATASET_NAME, write_sample_dataset

CASES = 10
EDGE = 512  # pixels of a drawn image, or as many as the run's patch has


@contextmanager
def with_images(run: ViTnnUNetConfig) -> Iterator[tuple[ViTnnUNetConfig, list[str]]]:
    """Yield the run with a dataset, and what to say of it; a drawn one is removed in the end.

    Args:
        run: resolved.
    """
    if run.data.dataset is not None:
        yield run, []
        return
    edge = max(run.train.patch_size or [EDGE])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_sample_dataset(folder / "raw", CASES, 0, image_size=edge)
        places = {key: str(folder / key) for key in ("raw", "preprocessed")}
        for place in places.values():
            Path(place).mkdir(exist_ok=True)
        data = run.data.model_copy(update={"dataset": DATASET_NAME})
        paths = run.paths.model_copy(update=places)
        drawn = f"{CASES} drawn images of {edge} x {edge} pixels in colour, two classes"
        yield (
            run.model_copy(update={"data": data, "paths": paths}),
            [f"No dataset is named: the steps are of {drawn}."],
        )
