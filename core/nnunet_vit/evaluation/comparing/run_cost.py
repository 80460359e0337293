"""What a run has cost, from nnU-Net's logs of its folds and from the model that they left."""

import itertools
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FINAL_FILE
from nnunet_vit.quantities import duration_text, parameters_text

EPOCH = re.compile(r"Epoch time: ([0-9.]+) s")
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # no parameters
CASE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+): predicting ", re.MULTILINE)


@dataclass(frozen=True)
class Cost:
    """What is known of a run's cost.

    Attributes:
        parameters: of the network; None: not known.
        hours: of all epochs of all folds, with those that were repeated; None: not known.
        seconds: of a validation case, the median; None: not known.
    """

    parameters: int | None
    hours: float | None
    seconds: float | None

    def as_text(self) -> str:
        """Return what is known in one line."""
        known = []
        if self.parameters is not None:
            known.append(f"{parameters_text(self.parameters)} parameters")
        if self.hours is not None:
            known.append(f"trained {duration_text(3600 * self.hours)}")
        if self.seconds is not None:
            known.append(f"{duration_text(self.seconds)} per case")
        return ", ".join(known)


def cost_of(model: Path, folds: tuple[int, ...]) -> Cost:
    """Return what the folds of a model folder have cost; of a folder of masks nothing is known."""
    logs = list(_logs(model, folds))
    epochs = [float(seconds) for text in logs for seconds in EPOCH.findall(text)]
    cases = [seconds for text in logs for seconds in _between_cases(text)]
    return Cost(
        _parameters(model, folds),
        sum(epochs) / 3600 if epochs else None,
        statistics.median(cases) if cases else None,
    )


def _logs(model: Path, folds: tuple[int, ...]) -> Iterator[str]:
    for fold in folds:
        for file in sorted((model / f"fold_{fold}").glob("training_log_*.txt")):
            yield file.read_text(encoding="utf-8", errors="replace")


def _between_cases(text: str) -> Iterator[float]:
    times = [datetime.fromisoformat(found) for found in CASE.findall(text)]
    for earlier, later in itertools.pairwise(times):
        yield (later - earlier).total_seconds()


def _parameters(model: Path, folds: tuple[int, ...]) -> int | None:
    """Return the network's parameters by its final checkpoint, ours or nnU-Net's."""
    files = [model / f"fold_{fold}" / FINAL_FILE for fold in folds]
    file = next((file for file in files if file.is_file()), None)
    if file is None:
        return None
    import pickle

    import torch

    from nnunet_vit.checkpoints.full_model import numpy_numbers

    try:
        with numpy_numbers():
            content = torch.load(file, weights_only=True, map_location="cpu", mmap=True)
        sizes = {  # nnU-Net's networks have each layer under several names
            value.data_ptr(): int(value.numel())
            for name, value in content["network_weights"].items()
            if not name.endswith(STATISTICS)
        }
        return sum(sizes.values())
    except (OSError, RuntimeError, pickle.UnpicklingError, KeyError, AttributeError, EOFError):
        return None  # a cost that is not known is no reason to refuse a comparison
