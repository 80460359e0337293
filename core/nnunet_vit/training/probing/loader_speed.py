"""How long nnU-Net's loaders take for an image of a run that is not preprocessed yet."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import torch
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.training.dataloading.nnunet_dataset import comp_blosc2_params, nnUNetDatasetBlosc2
from nnunetv2.utilities.label_handling.label_handling import LabelManager

from nnunet_vit.augmentation.batched.batched_set import BatchedSet
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.profiling.assumptions import Tile
from nnunet_vit.profiling.measured_run import Measured
from nnunet_vit.training.trainer import nnUNetTrainer_vit
from nnunet_vit.training.whole_batches import DrawnBatches
from nnunet_vit.training.worker_memory import LoaderBytes, bytes_of_loader

CASE = "probed"
SLICES = 8  # of the made-up case at most: one is read at a time
EDGES = 3  # a made-up image is at most that many patches high and wide
ENOUGH = 3.0  # seconds of augmentation: its draws differ
IMAGES = (8, 96)  # at least and at most
REPEATS = 4  # of a whole batch's augmentation, after a first one


@dataclass(frozen=True)
class LoaderSeconds:
    """What nnU-Net's loaders take.

    Attributes:
        training: seconds of an augmented image, on one processor; where whole batches are
            augmented, of a larger one that is read and cropped alone.
        validation: likewise, without augmentation.
        memory: of the training loader's processes.
        on_device: seconds of an image's augmentation in a whole batch, before a step; 0: none.
    """

    training: float
    validation: float
    memory: LoaderBytes
    on_device: float = 0.0


def measured_loading(
    measured: Measured,
    tile: Tile,
    size: DatasetSize,
    *,
    schemes: list[str],
    scales: list[list[float]],
    device: str = "cpu",
) -> LoaderSeconds:
    """Make a case of random numbers, and batches of it with the run's own augmentation.

    Args:
        measured: the run.
        tile: of a training step.
        size: of the dataset.
        schemes: nnU-Net's normalization of each channel.
        scales: [H, W] of each resolution of the logits.
        device: of the network, for torch.
    """
    with _one_processor(), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = torch.device(device)
        trainer = _LoadersOnly(measured, tile, schemes, scales=scales, folder=folder, device=place)
        _write_case(Path(folder), trainer, size, tile)
        training, validation = trainer.plain_loaders()
        seen = trainer._get_deep_supervision_scales()
        memory = bytes_of_loader(training, len(schemes), seen)
        share = tile.batch / trainer.batch_size
        batched = trainer.batched
        drawn = training if batched is None else DrawnBatches(training, batched)
        return LoaderSeconds(
            _per_image(drawn, trainer.batch_size),
            _per_image(validation, trainer.batch_size),
            LoaderBytes(round(share * memory.batch), memory.work),
            0.0 if batched is None else _augmented(batched, next(drawn), trainer),
        )


@contextmanager
def _one_processor() -> Iterator[None]:
    """Let torch compute as in a worker, with repeatable draws."""
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        torch.set_num_threads(usual)


class _LoadersOnly(nnUNetTrainer_vit):
    """The trainer as far as its loaders go: of a run whose data are not preprocessed."""

    def __init__(
        self,
        measured: Measured,
        tile: Tile,
        schemes: list[str],
        *,
        scales: list[list[float]],
        folder: str,
        device: torch.device,
    ) -> None:
        """Set what nnU-Net's `get_dataloaders` asks for, and nothing else."""
        description = measured.dataset.description
        self.run, self.folder = measured.run, folder
        self.label_manager = LabelManager(
            description["labels"], description.get("regions_class_order")
        )
        self.configuration_manager = SimpleNamespace(
            patch_size=list(tile.size),
            normalization_schemes=schemes,
            use_mask_for_norm=[False] * len(schemes),
        )
        self.dataset_class = nnUNetDatasetBlosc2
        self.batch_size = min(tile.batch, IMAGES[0])
        self.oversample_foreground_percent = 0.33
        self.probabilistic_oversampling = self.is_cascaded = False
        self.device = device
        self._scales = scales
        self.enable_deep_supervision = len(scales) > 1

    def get_tr_and_val_datasets(self) -> tuple[nnUNetDatasetBlosc2, nnUNetDatasetBlosc2]:
        """Return the made-up case for both."""
        data = nnUNetDatasetBlosc2(self.folder, [CASE])
        return data, data

    def print_to_log_file(self, *args: object, **options: object) -> None:
        """There is no log."""


def _write_case(folder: Path, trainer: _LoadersOnly, size: DatasetSize, tile: Tile) -> None:
    """Write a case of the dataset's size as nnU-Net preprocesses it."""
    channels = len(trainer.configuration_manager.normalization_schemes)
    plane = [min(edge, EDGES * patch) for edge, patch in zip(size.image, tile.size, strict=True)]
    slices = min(SLICES, max(1, size.slices // size.cases))
    draw = np.random.default_rng(0)
    image = draw.standard_normal((channels, slices, *plane), dtype=np.float32)
    labels = trainer.label_manager
    mask = draw.integers(0, len(labels.all_labels), (1, slices, *plane), dtype=np.int16)
    wanted = labels.foreground_regions if labels.has_regions else labels.foreground_labels
    collected = [*wanted, *([[-1, *labels.all_labels]] if labels.has_ignore_label else [])]
    places = DefaultPreprocessor._sample_foreground_locations(mask, collected)
    blocks, chunks = comp_blosc2_params(image.shape, tile.size, image.itemsize)
    mask_blocks, mask_chunks = comp_blosc2_params(mask.shape, tile.size, mask.itemsize)
    nnUNetDatasetBlosc2.save_case(
        image, mask, {"class_locations": places}, str(folder / CASE),
        chunks=chunks, blocks=blocks, chunks_seg=mask_chunks, blocks_seg=mask_blocks,
    )  # fmt: skip


def _per_image(loader: Iterator[JsonObject], batch_size: int) -> float:
    """Return the seconds of an image; nnU-Net has made a first batch already."""
    images, started = 0, perf_counter()
    while images < IMAGES[0] or (images < IMAGES[1] and perf_counter() - started < ENOUGH):
        next(loader)
        images += batch_size
    return (perf_counter() - started) / images


def _augmented(batched: BatchedSet, batch: JsonObject, trainer: _LoadersOnly) -> float:
    """Return the seconds of an image in a batch that is augmented as a whole, as a rule."""
    taken = []
    for _ in range(1 + REPEATS):
        images, masks = (batch[key].to(trainer.device, copy=True) for key in ("data", "target"))
        drawn = batched.drawn(len(images), images.shape[1:])
        started = perf_counter()
        changed, _ = batched(images, masks, drawn)
        float(changed[-1, -1, -1, -1])  # a GPU has finished then
        taken.append((perf_counter() - started) / len(images))
    return fmean(taken[1:])
