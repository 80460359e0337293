"""What decoding preprocessed cases costs a worker beside their augmentation.

    python benchmarks/loading.py MODEL_FOLDER [--batches 30]

MODEL_FOLDER is what `vit_cli train` prints last; nnU-Net's variables name its preprocessed data.
Batches are drawn in turn from nnU-Net's files and from cases that are held decoded, with the same
random numbers, on one core. Prints the processor's milliseconds per image, medians.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch

from nnunet_vit.files.json_file import read_json
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.dataloading import NumberedBatches
from nnunet_vit.training.held_cases import held_within
from nnunet_vit.training.trainer import nnUNetTrainer_vit

ROUND = 6  # batches that are drawn of one kind before those of the other


def loaders_of(folder):
    """Return a trained run's loaders of training and validation patches."""
    plans, description = (read_json(folder / f"{name}.json", "") for name in ("plans", "dataset"))
    trainer = nnUNetTrainer_vit(plans, "2d", 0, description, torch.device("cpu"))
    trainer.print_to_log_file = lambda *_, **__: None
    trainer.needs_pretrained_weights = False
    trainer.initialize()
    return trainer.plain_loaders()


def drawn(loader, cases, seconds):
    """Draw a round of batches, add their seconds, and return a sum of their pixels."""
    loader._data = cases
    batches, total = NumberedBatches(loader, 7, 0, 1), 0.0
    for _ in range(ROUND):
        began = time.process_time()
        batch = next(batches)
        seconds.append((time.process_time() - began) / loader.batch_size)
        total += float(batch["data"].double().sum())
    return total


def main():
    """Print a line per loader."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batches", type=int, default=30)
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name, loader in zip(("training", "validation"), loaders_of(given.folder), strict=True):
        files, (held,) = loader._data, held_within(2**40, [loader._data], Progress())
        from_files, from_memory = [], []
        for _ in range(-(-given.batches // ROUND)):
            assert drawn(loader, files, from_files) == drawn(loader, held, from_memory)
        one, other = (1000 * statistics.median(each) for each in (from_files, from_memory))
        what = f"{name}: {len(held)} cases, {held.bytes / 1e6:.0f} MB decoded"
        times = f"{one:.2f} ms from files, {other:.2f} ms from memory: {1 - other / one:.0%} less"
        print(f"{what}; an image {times}")


if __name__ == "__main__":
    main()
