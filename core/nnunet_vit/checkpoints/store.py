"""The checkpoints of one fold: saved so that a kill at any moment loses none that was finished.

One process writes at a time; whoever calls `save` holds the fold's lock.
"""

import os
import secrets
import shutil
from pathlib import Path

import torch

from nnunet_vit.checkpoints.directory import (
    Checkpoint,
    DamagedCheckpointError,
    read_checkpoint,
    write_checkpoint,
)
from nnunet_vit.checkpoints.disk import writing
from nnunet_vit.checkpoints.pointers import (
    ASIDE,
    BEST,
    CHECKPOINTS,
    LATEST,
    MANIFEST,
    Pointer,
    epoch_of,
    matches,
    name_of,
    read_pointer,
    write_pointer,
)
from nnunet_vit.errors import ModelError, NumericsError, shortened
from nnunet_vit.files.writing import UNFINISHED, sync_folder

__all__ = ["Checkpoint", "CheckpointStore"]


class CheckpointStore:
    """Keeps the two newest checkpoints and the best one of a fold.

    Args:
        folder: of the fold.

    Attributes:
        notices: one sentence for each time that an older checkpoint had to stand in.
    """

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet."""
        self.folder = folder
        self.saves = folder / CHECKPOINTS
        self.notices: list[str] = []

    def save(self, checkpoint: Checkpoint, best: bool) -> Path:
        """Write a checkpoint and return its folder; when it returns, the disk holds all of it.

        Where no best one is left, as at the start, a checkpoint is the best whatever `best` says.

        Raises:
            NumericsError: a weight is not finite; nothing is written.
            MachineError: the disk is full or not writable; the checkpoints before are intact.
        """
        _refuse_non_finite(checkpoint)
        target = self.saves / name_of(checkpoint.epoch)
        with writing(target, _bytes(checkpoint)):
            self.saves.mkdir(parents=True, exist_ok=True)
            for leftover in self.saves.glob(f"{UNFINISHED}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            self._settle_best()
            pointer = Pointer(target.name, self._write(target, checkpoint), best)
            pointer = pointer._replace(best=best or not self._best_stands())
            write_pointer(self.folder / LATEST, pointer)
            if pointer.best:
                write_pointer(self.folder / BEST, pointer)
        self._prune(target)
        return target

    def latest(
        self, device: torch.device | str = "cpu", weights_alone: bool = False
    ) -> Checkpoint | None:
        """Return the newest intact checkpoint, or nothing where none was ever saved.

        Args:
            device: where the weights go; the optimizer's tensors stay on the CPU.
            weights_alone: read no optimizer, which may be missing.

        Raises:
            ModelError: checkpoints were saved and none is intact, or a newer version of this
                package has written the newest.
        """
        pointer = read_pointer(self.folder / LATEST)
        problems: list[str] = []
        if pointer is not None:
            try:
                return self._read(LATEST, pointer, device, weights_alone)
            except DamagedCheckpointError as error:
                problems.append(f"{pointer.name}: {error}")
        elif (self.folder / LATEST).exists() or self._directories():
            problems.append(f"{LATEST} is missing or damaged")
        return self._stand_in(pointer, problems, device, weights_alone=weights_alone)

    def best(self, device: torch.device | str = "cpu", weights_alone: bool = False) -> Checkpoint:
        """Return the best checkpoint, without its optimizer if the weights alone are wanted.

        Raises:
            ModelError: none was saved, or it is damaged.
        """
        pointer = self._best_pointer()
        if pointer is None:
            raise ModelError(f"{self.folder}: {BEST} is missing or damaged.")
        try:
            return self._read(BEST, pointer, device, weights_alone)
        except DamagedCheckpointError as error:
            raise ModelError(
                f"{self.folder}: the best checkpoint, {pointer.name}, cannot be used: {error}.",
                fix="restore the folder from a copy; the latest checkpoint may be intact.",
            ) from error

    def exists(self) -> bool:
        """Tell whether anything was saved, intact or not."""
        return self.epoch_of_latest() is not None

    def has_best(self) -> bool:
        """Tell whether one was named the best, without looking at its files."""
        return self._best_pointer() is not None

    def epoch_of_latest(self) -> int | None:
        """Return the epochs that the newest checkpoint has done, from its name alone."""
        pointer = read_pointer(self.folder / LATEST)
        names = [pointer.name] if pointer else [path.name for path in self._directories()]
        return epoch_of(names[0]) if names else None

    def _write(self, target: Path, checkpoint: Checkpoint) -> str:
        unfinished = self.saves / f"{UNFINISHED}{target.name}-{os.getpid()}"
        try:
            unfinished.mkdir()
            manifest = write_checkpoint(unfinished, checkpoint)
            if target.exists():
                os.rename(target, self.saves / f"{ASIDE}{target.name}-{secrets.token_hex(4)}")
            os.rename(unfinished, target)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        sync_folder(self.saves)
        return manifest

    def _read(
        self, which: str, pointer: Pointer, device: torch.device | str, weights_alone: bool
    ) -> Checkpoint:
        # the hash decides: a kill while an epoch was saved again leaves its checkpoint aside
        named_one = self.saves / pointer.name
        places = [named_one, *self._directories()]
        place = next((place for place in places if matches(place, pointer)), named_one)
        if (place / MANIFEST).exists() and not matches(place, pointer):
            raise DamagedCheckpointError(f"{which} and its {MANIFEST} do not belong together")
        return read_checkpoint(place, device, weights_alone)

    def _best_pointer(self) -> Pointer | None:
        # a kill between the two pointers leaves a LATEST that BEST does not know of yet
        latest = read_pointer(self.folder / LATEST)
        return latest if latest is not None and latest.best else read_pointer(self.folder / BEST)

    def _settle_best(self) -> None:
        best = self._best_pointer()
        if best is not None and best != read_pointer(self.folder / BEST):
            write_pointer(self.folder / BEST, best)

    def _best_stands(self) -> bool:
        best = read_pointer(self.folder / BEST)
        return best is not None and matches(self.saves / best.name, best)

    def _directories(self) -> list[Path]:
        """Return the folders of all checkpoints, also of those aside, the newest first."""
        found = [path for path in self.saves.glob("*epoch_*") if epoch_of(path.name) >= 0]
        return sorted(found, key=lambda path: (epoch_of(path.name), path.name), reverse=True)

    def _stand_in(
        self,
        pointer: Pointer | None,
        problems: list[str],
        device: torch.device | str,
        *,
        weights_alone: bool,
    ) -> Checkpoint | None:
        for directory in self._directories():
            if pointer is not None and matches(directory, pointer):
                continue  # it has been tried
            try:
                checkpoint = read_checkpoint(directory, device, weights_alone)
            except ModelError as error:
                problems.append(f"{directory.name}: {error}")
                continue
            self.notices.append(
                f"{self.folder}: {'; '.join(problems)}. Resuming from {directory.name}."
            )
            return checkpoint
        if not problems:
            return None
        raise ModelError(
            f"No checkpoint in {self.folder} is intact: {'; '.join(problems)}.",
            fix="restore the folder from a copy, or start from scratch with --overwrite.",
        )

    def _prune(self, saved: Path) -> None:
        best = read_pointer(self.folder / BEST)
        # a higher number is of a future that was given up: training went on from an older state
        epoch = epoch_of(saved.name)
        older = [path.name for path in self._directories() if epoch_of(path.name) < epoch]
        before = [name for name in older if not name.startswith(ASIDE)][:1]
        kept = {saved.name, *before, *([best.name] if best is not None else [])}
        for directory in self._directories():
            if directory.name not in kept:
                self._remove(directory)

    def _remove(self, directory: Path) -> None:
        # renamed first: half a folder under its own name would look like a damaged checkpoint
        doomed = self.saves / f"{UNFINISHED}{directory.name.lstrip('.')}-{secrets.token_hex(4)}"
        try:
            os.rename(directory, doomed)
        except OSError:
            return  # the new checkpoint is saved all the same; the next save tries again
        shutil.rmtree(doomed, ignore_errors=True)


def _bytes(checkpoint: Checkpoint) -> int:
    tensors = [*checkpoint.weights.values(), *checkpoint.optimizer.values()]
    return sum(tensor.nbytes for tensor in tensors)


def _refuse_non_finite(checkpoint: Checkpoint) -> None:
    broken = [
        name
        for name, tensor in checkpoint.weights.items()
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all())
    ]
    if broken:
        raise NumericsError(
            f"The weights after epoch {checkpoint.epoch} are not finite: {shortened(broken)}; "
            "they are not saved.",
            fix="lower train.initial_lr or train.gradient_clip; the checkpoints before are kept.",
        )
