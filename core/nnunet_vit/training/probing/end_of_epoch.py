"""What an epoch takes beside its steps: its checkpoint, and nnU-Net's picture of the curves."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

from nnunetv2.training.logging.nnunet_logger import LocalLogger

from nnunet_vit.files.writing import replacing
from nnunet_vit.nnunet.folders import folder
from nnunet_vit.planning.meter import Step

WRITTEN = 64_000_000  # bytes that tell how fast a disk is
STORED = ("optimizer", "averaged")  # what a checkpoint holds beside what is trained
FILES = 0.15  # seconds of a checkpoint whatever its size: of ViT-Ti's 0.19 s on a local disk
EPOCHS = 20  # that the picture shows; a thousand of them take as long


def seconds_of_checkpoint(step: Step) -> float:
    """Return what a checkpoint takes where the results lie; 0: nothing can be written.

    A checkpoint holds what is trained, which is as large as the gradients, and its optimizer.
    """
    beside = sum(size for name, size in step.memory.items() if name.startswith(STORED))
    stored = step.cost.gradients + beside
    content = os.urandom(min(stored, WRITTEN))
    with suppress(OSError), _beside_results() as inside:
        started = perf_counter()
        with replacing(inside / "checkpoint") as path:
            path.write_bytes(content)
        return FILES + (perf_counter() - started) * stored / max(1, len(content))
    return 0.0


def seconds_of_picture() -> float:
    """Return the seconds of nnU-Net's progress.png, drawn after each epoch; 0: as above."""
    logger = LocalLogger()
    for epoch in range(EPOCHS):
        for key in logger.my_fantastic_logging:
            logger.log(key, float(epoch), epoch)
    with suppress(OSError), _beside_results() as inside:
        logger.plot_progress_png(str(inside))  # the first one looks for fonts
        started = perf_counter()
        logger.plot_progress_png(str(inside))
        return perf_counter() - started
    return 0.0


@contextmanager
def _beside_results() -> Iterator[Path]:
    results = folder("results")
    place = next(each for each in (results, *results.absolute().parents) if each.is_dir())
    with tempfile.TemporaryDirectory(dir=place, prefix=".probe-") as inside:
        yield Path(inside)
