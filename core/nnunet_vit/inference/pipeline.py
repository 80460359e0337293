"""Cases to masks: the next one is read and the last one written while the network computes."""

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import torch

from nnunet_vit.errors import NumericsError
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.prepared_case import PreparedCase, prepared
from nnunet_vit.inference.tiling.window import SlidingWindow
from nnunet_vit.inference.writing_case import write_case
from nnunet_vit.report.progress import Progress

Given = TypeVar("Given")
Made = TypeVar("Made")
AHEAD = 2  # cases that are read before the network has come to them
WORK = ".predicting-"


def predict_cases(
    cases: Mapping[str, list[Path]],
    masks: Path,
    model: LoadedModel,
    window: SlidingWindow,
    *,
    probabilities: bool,
    progress: Progress,
) -> None:
    """Write a mask per case."""
    with (
        tempfile.TemporaryDirectory(prefix=WORK, dir=masks) as work,
        ThreadPoolExecutor(1) as reading,
        ThreadPoolExecutor(1) as writing,
    ):
        ready = _ahead(reading, lambda case: prepared(*case, model), cases.items())
        written: deque[Future[None]] = deque()
        for case, logits in window.logits((case, case.image) for case in ready):
            _check_finite(case, logits)
            written.append(
                writing.submit(
                    write_case, case, logits, model,
                    masks=masks, work=Path(work), probabilities=probabilities,
                )
            )  # fmt: skip
            while len(written) > AHEAD:
                written.popleft().result()
            progress.case("")
        for future in written:
            future.result()


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


def _check_finite(case: PreparedCase, logits: torch.Tensor) -> None:
    if not bool(torch.isfinite(logits).all()):
        raise NumericsError(
            f"{case.name}: the network's output is not finite: no mask is written."
        )
