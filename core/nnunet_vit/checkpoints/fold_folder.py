"""What a fold's folder holds: which model is final, which is best, which is the latest."""

import contextlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nnunet_vit.checkpoints.store import Checkpoint, CheckpointStore

# nnU-Net's names of its checkpoints
FINAL_FILE, BEST_FILE, LATEST_FILE = (
    f"checkpoint_{kind}.pth" for kind in ("final", "best", "latest")
)
VALIDATION, SUMMARY = "validation", "summary.json"
Kind = Literal["final", "best", "latest"]
KINDS: tuple[Kind, ...] = ("final", "best", "latest")


class FoldFolder:
    """A fold's folder below a model folder; it need not exist yet.

    Final is the whole model that nnU-Net reads, or else the checkpoint of the last epoch; best the
    checkpoint that nnU-Net's moving average of the Dice chose; latest the newest checkpoint.

    Attributes:
        path: named fold_0, …, or fold_all.
        whole: nnU-Net's file of a finished model, whether it is there or not.
    """

    def __init__(self, path: Path) -> None:
        """Look at nothing yet."""
        self.path = path
        self.whole = path / FINAL_FILE

    @cached_property
    def store(self) -> "CheckpointStore":
        """The fold's checkpoints."""
        from nnunet_vit.checkpoints.store import CheckpointStore  # costs torch

        return CheckpointStore(self.path)

    def saved_epoch(self) -> int | None:
        """Return the epochs that the newest checkpoint has done; None: nothing is saved."""
        return self.store.epoch_of_latest()

    def holds_result(self) -> bool:
        """Tell whether anything was saved, intact or not."""
        return self.whole.is_file() or self.saved_epoch() is not None

    def is_trained(self, epochs: int) -> bool:
        """Tell whether all epochs are done, whichever file says so."""
        return self.whole.is_file() or self.saved_epoch() == epochs

    def ends_with_full_model(self, epochs: int) -> bool:
        """Tell whether the whole model is the newest: no checkpoint of fewer epochs beside it."""
        return self.whole.is_file() and self.saved_epoch() in (None, epochs)

    def is_validated(self) -> bool:
        """Tell whether nnU-Net has written the metrics of the fold's validation to the end."""
        with contextlib.suppress(OSError, ValueError):
            text = (self.path / VALIDATION / SUMMARY).read_text(encoding="utf-8")
            return "foreground_mean" in json.loads(text)
        return False

    def has(self, kind: Kind, epochs: int) -> bool:
        """Tell whether there is a model of that kind, without looking into its files."""
        if kind == "best":
            return self.store.has_best()
        return self.is_trained(epochs) if kind == "final" else self.saved_epoch() is not None

    def checkpoint(self, kind: Kind) -> "Checkpoint | None":
        """Return the weights of a kind's checkpoint; None: nothing is saved.

        Raises:
            ModelError: it is damaged, and so are those that could stand in for the latest.
        """
        if kind == "best":
            return self.store.best(weights_alone=True)
        return self.store.latest(weights_alone=True)

    def content(self) -> str:
        """Return in words what is there, or ''."""
        if self.whole.is_file():
            return FINAL_FILE
        epoch = self.saved_epoch()
        return "" if epoch is None else f"checkpoint of epoch {epoch}"
