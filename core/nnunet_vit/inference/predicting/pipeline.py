"""Cases to masks: the next is read and the last is written while the network computes."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import torch

from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import DataError, NumericsError, UserError, message_of
from nnunet_vit.files.json_file import write_json
from nnunet_vit.inference.entropy import MemberMaps
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs, outputs_of
from nnunet_vit.inference.predicting.memory_errors import naming_memory
from nnunet_vit.inference.predicting.prepared_case import PreparedCase, prepared
from nnunet_vit.inference.predicting.staging import staged_in
from nnunet_vit.inference.predicting.workers import AHEAD, made_ahead, worker
from nnunet_vit.inference.predicting.writing_case import write_case
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.forward import Forward
from nnunet_vit.inference.tiling.grid import Grid, mirrors_of
from nnunet_vit.inference.tiling.window import SlidingWindow
from nnunet_vit.report.progress import Progress

Written = Callable[[str, list[str]], None]  # is told of a case and the names of its files
UNREADABLE = (OSError, ValueError, RuntimeError, AssertionError)  # of nnU-Net's readers


def predict_cases(
    inputs: Inputs,
    masks: Path,
    model: LoadedModel,
    *,
    options: PredictionOptions,
    progress: Progress,
    window: SlidingWindow | None = None,
    written: Written = lambda case, names: None,
) -> dict[str, UserError]:
    """Write a mask per case, and dataset.json and plans.json for what works on masks.

    Args:
        inputs: the cases.
        masks: the folder to write to.
        model: that predicts; its networks are on the device of the options afterwards.
        options: how; the device is known.
        progress: is told of every case.
        window: of the model and the options; None: it is made here.
        written: is told of what lies in the folder.

    Returns:
        What was wrong with cases that have no mask.

    Raises:
        MachineError: the network takes more memory than there is.
    """
    window = window or window_of(model, options, progress)
    for name, content in zip(MODEL_FILES, (model.plans.plans, model.description), strict=True):
        write_json(content, masks / name)
    with staged_in(masks) as staged:
        work = _Work(inputs, masks, model, outputs_of(model, options), staged, written)
        work.run(window, progress)
    return work.failures


def window_of(model: LoadedModel, options: PredictionOptions, progress: Progress) -> SlidingWindow:
    """Return the sliding window of a model on the device of the options.

    A model has one: its networks are moved, and remember features for each other from then on.
    """
    tile = tuple(model.configuration.patch_size)
    mirrors = mirrors_of(model.mirroring_axes if options.mirroring else None)
    grid = Grid(tile, options.step, mirrors)
    forward = Forward(model.networks, tile, torch.device(options.device or "cpu"), progress.log)
    members = len(model.networks) * len(mirrors)
    maps = MemberMaps(model.labels.has_regions, members) if options.uncertainty else None
    return SlidingWindow(forward, grid, model.labels.num_segmentation_heads, maps=maps)


@dataclass(frozen=True)
class _Work:
    """The cases of a prediction, and what was wrong with some."""

    inputs: Inputs
    masks: Path
    model: LoadedModel
    outputs: CaseOutputs
    staged: Path
    written: Written
    failures: dict[str, UserError] = field(default_factory=dict)

    def run(self, window: SlidingWindow, progress: Progress) -> None:
        """Read, predict and write all cases."""
        with worker() as reading, worker() as writing:
            cases = made_ahead(reading, self.read, self.inputs.cases.items())
            tasks: deque[Future[None]] = deque()
            for case, logits in self.predicted(cases, window):
                tasks.append(writing.submit(self.write, case, logits))
                if len(tasks) > AHEAD:
                    tasks.popleft().result()
                progress.case("")
            for task in tasks:
                task.result()

    def read(self, case: tuple[str, list[Path]]) -> PreparedCase | None:
        """Return a case as the network takes it; None: it cannot be read."""
        name, files = case
        try:
            with naming_memory(name, self.inputs.memory):
                return prepared(name, files, self.model, self.inputs.readers.get(name))
        except UserError as error:
            self.failures[name] = error
        except UNREADABLE as error:
            problem = f"{files[0]}: nnU-Net cannot read it: {message_of(error, 200)}."
            self.failures[name] = DataError(problem)
        return None

    def predicted(
        self, cases: Iterator[PreparedCase | None], window: SlidingWindow
    ) -> Iterator[tuple[PreparedCase, torch.Tensor]]:
        """Yield cases with their logits where these are finite."""
        begun = [""]  # the case whose tiles were taken last

        def images() -> Iterator[tuple[PreparedCase, torch.Tensor]]:
            for case in cases:
                if case is not None:
                    begun[0] = case.name
                    yield case, case.image

        found = window.logits(images())
        while True:
            with naming_memory(lambda: begun[0], self.inputs.memory):
                case, logits = next(found, (None, torch.empty(0)))
            if case is None:
                return
            if bool(torch.isfinite(logits).all()):
                yield case, logits
            else:
                self.failures[case.name] = NumericsError(
                    f"{case.name}: the network's output is not finite: no mask is written."
                )

    def write(self, case: PreparedCase, logits: torch.Tensor) -> None:
        """Write what is wanted of a case."""
        staged, outputs = self.staged, self.outputs
        try:
            with naming_memory(case.name, self.inputs.memory):
                names = write_case(case, logits, self.model, staged=staged, outputs=outputs)
        except UserError as error:
            self.failures[case.name] = error
            return
        for name in names:
            (self.masks / name).parent.mkdir(exist_ok=True)
            (staged / name).replace(self.masks / name)
        self.written(case.name, names)
