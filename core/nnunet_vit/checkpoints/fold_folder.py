"""What a fold's folder holds: which model is final, which is best, which is the latest."""

import contextlib
import json
import re
import secrets
import shutil
from collections.abc import Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nnunet_vit.checkpoints.pointers import (
    BEST,
    CHECKPOINTS,
    LATEST,
    STATE,
    matches,
    name_of,
    read_pointer,
)
from nnunet_vit.checkpoints.stages import stages_of
from nnunet_vit.checkpoints.validation_summary import summary_entries
from nnunet_vit.errors import ModelError, UserError
from nnunet_vit.files.digests import known_sha256
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunet_vit.checkpoints.store import Checkpoint, CheckpointStore

# nnU-Net's names of its checkpoints
FINAL_FILE, BEST_FILE, LATEST_FILE = (
    f"checkpoint_{kind}.pth" for kind in ("final", "best", "latest")
)
VALIDATION, SUMMARY = "validation", "summary.json"
FOLD = re.compile(r"fold_(?:0|[1-9][0-9]*|all)")
ENDED = "ended"  # in a checkpoint's state: why it is the last one, if it is early
Kind = Literal["final", "best", "latest"]
KINDS: tuple[Kind, ...] = ("final", "best", "latest")


def fold_of(word: str) -> int | str:
    """Return a fold as nnU-Net writes it: its number, or "all"."""
    return int(word) if word.isdecimal() else word


def check_lengths(folds: Iterable["FoldFolder"]) -> None:
    """Refuse folds whose trainings are of different lengths: one was lengthened, others not yet.

    Raises:
        ModelError: names them.
    """
    known = {fold.path: fold.planned_epochs() for fold in folds}
    lengths = {path.name: epochs for path, epochs in known.items() if epochs is not None}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} of {epochs} epochs" for name, epochs in lengths.items())
        raise ModelError(
            f"{next(iter(known)).parent}: the folds' trainings have different lengths: {told}.",
            fix="lengthen the others too: vit_cli train … --folds … --continue, or choose --folds "
            "of one length.",
        )


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
        """Tell whether all epochs of a training of so many are done, whichever file says so."""
        if self.planned_epochs() not in (None, epochs):
            return False
        return self.whole.is_file() or self.saved_epoch() == self.last_epoch(epochs)

    def ends_with_full_model(self, epochs: int) -> bool:
        """Tell whether the whole model is the newest: no checkpoint of fewer epochs beside it.

        It is that of a training of so many epochs; one that ended early counts.
        """
        if not (self.whole.is_file() and self.is_trained(epochs)):
            return False
        if self.saved_epoch() is not None:
            return self.saved_epoch() == self.last_epoch(epochs)
        from nnunet_vit.checkpoints.full_model import planned_epochs_of  # costs torch

        return planned_epochs_of(self.whole) in (None, epochs)

    def last_epoch(self, epochs: int) -> int:
        """Return the epoch that ends a training of so many: an earlier one where it ended early."""
        state = self._newest_state()
        with contextlib.suppress(LookupError, TypeError):
            if state[ENDED] and stages_of(state)[-1].end == epochs:
                return self.saved_epoch() or epochs
        return epochs

    def planned_epochs(self) -> int | None:
        """Return the length that the newest checkpoint's training was planned for last.

        None: there is no checkpoint that says so, as in nnU-Net's own folders.
        """
        state = self._newest_state()
        with contextlib.suppress(LookupError, TypeError, ValueError):
            return int(stages_of(state)[-1].end)
        return None

    def _newest_state(self) -> JsonObject:
        pointer = read_pointer(self.path / LATEST)
        if pointer is None:
            return {}
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            text = (self.path / CHECKPOINTS / pointer.name / STATE).read_text(encoding="utf-8")
            return dict(json.loads(text)["state"])
        return {}

    def forget(self) -> None:
        """Leave nothing that looks like a result, in a few steps; the files may be there still."""
        pointers = (self.path / name for name in (LATEST, BEST))
        for file in (self.whole, self.path / VALIDATION / SUMMARY, *pointers):
            file.unlink(missing_ok=True)
        for folder in (*self.path.glob(CHECKPOINTS), *self.path.glob(VALIDATION)):
            folder.rename(folder.with_name(f".{folder.name}-{secrets.token_hex(4)}"))

    def reopen(self) -> None:
        """Leave the checkpoints alone, of a training that is lengthened: nothing looks finished."""
        for file in (self.whole, self.path / VALIDATION / SUMMARY):
            file.unlink(missing_ok=True)
        if (self.path / VALIDATION).is_dir():
            shutil.rmtree(self.path / VALIDATION)

    def is_validated(self, cases: Collection[str], ending: str) -> bool:
        """Tell whether nnU-Net has written masks and metrics of exactly these validation cases.

        Args:
            cases: of the fold, by the splits of today.
            ending: of the masks.
        """
        masks = {file.name for file in (self.path / VALIDATION).glob(f"*{ending}")}
        return self.measured_masks() == masks == {f"{case}{ending}" for case in cases}

    def has_probabilities(self, cases: Collection[str]) -> bool:
        """Tell whether the validation has left probabilities of all these cases."""
        there = {file.name for file in (self.path / VALIDATION).glob("*.npz")}
        return {f"{case}.npz" for case in cases} <= there

    def forget_probabilities(self) -> None:
        """Delete the probabilities of an earlier validation; the next one may write none."""
        for pattern in ("*.npz", "*.pkl"):
            for file in (self.path / VALIDATION).glob(pattern):
                file.unlink(missing_ok=True)

    def digest(self) -> str:
        """Return what tells the final model from any other, as hex: of its file's content.

        '' where the whole model and the newest checkpoint are missing.

        Raises:
            OSError: the file cannot be read.
        """
        if self.whole.is_file():
            return known_sha256(self.whole)
        pointer = read_pointer(self.path / LATEST)
        if pointer is None:
            return ""
        folders = (self.path / CHECKPOINTS).glob("*epoch_*")
        return pointer.manifest if any(matches(folder, pointer) for folder in folders) else ""

    def measured_masks(self) -> set[str] | None:
        """Return the names of the masks in nnU-Net's metrics of the validation; None: no metrics.

        A file that was cut off counts as none.
        """
        with contextlib.suppress(UserError):
            entries = summary_entries(self.path / VALIDATION / SUMMARY)
            return {Path(entry["prediction_file"]).name for entry in entries}
        return None

    def has(self, kind: Kind, epochs: int) -> bool:
        """Tell whether there is a model of that kind, without looking into its files."""
        if kind == "best":
            return self.store.has_best()
        return self.is_trained(epochs) if kind == "final" else self.saved_epoch() is not None

    def checkpoint(self, kind: Kind) -> "Checkpoint | None":
        """Return the weights of a kind's checkpoint; None: nothing is saved.

        Raises:
            ModelError: it is damaged, and so are those that could stand in for the latest; for the
                final one, none can.
        """
        if kind == "best":
            return self.store.best(weights_alone=True)
        found = self.store.latest(weights_alone=True)
        if kind == "final" and found is not None and self.store.notices:
            self._refuse_stand_in(found.epoch)
        return found

    def _refuse_stand_in(self, epoch: int) -> None:
        """Refuse another checkpoint than the last: LATEST names it, or else its number does.

        Raises:
            ModelError: names the last one.
        """
        last = self.saved_epoch() or 0
        if read_pointer(self.path / LATEST) is None and epoch == last:
            return
        raise ModelError(
            f"{self.path / CHECKPOINTS / name_of(last)}, the final checkpoint, is missing or "
            f"damaged; the newest that is intact is of epoch {epoch}.",
            fix="copy it again, train the rest again with `vit_cli train … --continue`, or predict "
            "with the older one: vit_cli predict … --checkpoint latest.",
        )

    def content(self) -> str:
        """Return in words what is there, or ''."""
        if self.whole.is_file():
            return FINAL_FILE
        epoch = self.saved_epoch()
        return "" if epoch is None else f"checkpoint of epoch {epoch}"
