"""Cases to masks: the next is read and the last is written while the network computes."""

import contextlib
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch

from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import NumericsError
from nnunet_vit.files.json_file import write_json
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.predicting.memory_errors import naming_memory
from nnunet_vit.inference.predicting.prepared_case import PreparedCase, prepared
from nnunet_vit.inference.predicting.writing_case import write_case
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.forward import Forward
from nnunet_vit.inference.tiling.grid import Grid, mirrors_of
from nnunet_vit.inference.tiling.window import SlidingWindow
from nnunet_vit.report.progress import Progress

Given = TypeVar("Given")
Made = TypeVar("Made")
AHEAD = 2  # cases that are read before the network comes to them, and as many that are written
STAGED = ".writing-"  # the folder, among the masks, where a case's files lie until they are whole


def predict_cases(
    inputs: Inputs,
    masks: Path,
    model: LoadedModel,
    *,
    options: PredictionOptions,
    progress: Progress,
) -> None:
    """Write a mask per case, and dataset.json and plans.json for what works on masks.

    Args:
        inputs: the cases.
        masks: the folder to write to.
        model: that predicts; its networks are on the device of the options afterwards.
        options: how; the device is known.
        progress: is told of every case.

    Raises:
        MachineError: a case takes more memory than there is.
        NumericsError: the network's output is not finite.
    """
    window = window_of(model, options, progress)
    for name, content in zip(MODEL_FILES, (model.plans.plans, model.description), strict=True):
        write_json(content, masks / name)

    with _staged(masks) as staged, _worker() as reading, _worker() as writing:
        cases = _ahead(reading, lambda case: _read(case, model, inputs), inputs.cases.items())

        def write(case: PreparedCase, logits: torch.Tensor) -> None:
            kept = options.probabilities
            with naming_memory(case.name, inputs.memory):
                write_case(case, logits, model, masks=masks, staged=staged, probabilities=kept)

        written: deque[Future[None]] = deque()
        for case, logits in _predicted(cases, window, inputs):
            written.append(writing.submit(write, case, logits))
            if len(written) > AHEAD:
                written.popleft().result()
            progress.case("")
        for future in written:
            future.result()


def window_of(model: LoadedModel, options: PredictionOptions, progress: Progress) -> SlidingWindow:
    """Return the sliding window of a model on the device of the options."""
    tile = tuple(model.configuration.patch_size)
    grid = Grid(tile, mirrors=mirrors_of(model.mirroring_axes if options.mirroring else None))
    forward = Forward(model.networks, tile, torch.device(options.device or "cpu"), progress.log)
    return SlidingWindow(forward, grid, model.labels.num_segmentation_heads)


def _read(case: tuple[str, list[Path]], model: LoadedModel, inputs: Inputs) -> PreparedCase:
    with naming_memory(case[0], inputs.memory):
        return prepared(*case, model)


def _predicted(
    cases: Iterable[PreparedCase], window: SlidingWindow, inputs: Inputs
) -> Iterator[tuple[PreparedCase, torch.Tensor]]:
    """Yield cases with their logits, which are finite."""
    begun = [""]  # the case whose tiles were taken last

    def images() -> Iterator[tuple[PreparedCase, torch.Tensor]]:
        for case in cases:
            begun[0] = case.name
            yield case, case.image

    predicted = window.logits(images())
    while True:
        with naming_memory(lambda: begun[0], inputs.memory):
            found = next(predicted, None)
        if found is None:
            return
        case, logits = found
        if not bool(torch.isfinite(logits).all()):
            raise NumericsError(
                f"{case.name}: the network's output is not finite: no mask is written."
            )
        yield case, logits


@contextlib.contextmanager
def _staged(masks: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=STAGED, dir=masks) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _worker() -> Iterator[ThreadPoolExecutor]:
    """Yield a thread that takes one task after another; what is waiting is dropped at the end."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _ahead(
    pool: ThreadPoolExecutor, make: Callable[[Given], Made], given: Iterable[Given]
) -> Iterator[Made]:
    """Yield what is made of each, in order, of which a few are made in advance."""
    begun: deque[Future[Made]] = deque()
    for one in given:
        begun.append(pool.submit(make, one))
        if len(begun) > AHEAD:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()
