"""Views in files, one per lot, whose names hold a digest of their content."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from nnunet_vit.errors import MachineError
from nnunet_vit.files.digests import sha256
from nnunet_vit.files.writing import UNFINISHED, replacing

NAME = re.compile(r"(\d+)-([0-9a-f]{64})\.safetensors")


class DiskStore:
    """The lots of a folder that nobody else writes in.

    Attributes:
        looked_at: how many files have been read.
        damaged: how many of them were not what was written; they are removed.
    """

    def __init__(self, folder: Path, batch: int) -> None:
        """Look at nothing yet.

        Args:
            folder: it need not be there.
            batch: views in a lot.
        """
        self.folder, self._batch = folder, batch
        self.looked_at = self.damaged = 0
        self._files: dict[int, Path] = {}

    def look(self) -> None:
        """Read every file that is there, and remove what is no whole lot."""
        for left in self.folder.glob(f"{UNFINISHED}*"):
            left.unlink()
        for file in sorted(self.folder.glob("*.safetensors")):
            match = NAME.fullmatch(file.name)
            if match and sha256(file) == match[2]:
                self._files[int(match[1])] = file
            else:
                self.damaged += 1
                file.unlink()
            self.looked_at += 1

    def __contains__(self, lot: int) -> bool:
        """Tell whether a lot is there."""
        return lot in self._files

    def put(self, lot: int, tensors: Mapping[str, Tensor]) -> None:
        """Write a lot whole or not at all: each tensor has a row for each of its views.

        Raises:
            MachineError: the disk refuses.
        """
        content = save({name: value.contiguous() for name, value in tensors.items()})
        path = self.folder / f"{lot:06d}-{hashlib.sha256(content).hexdigest()}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as unfinished:
                unfinished.write_bytes(content)
        except OSError as error:
            raise MachineError(
                f"{path}: cannot be written: {error.strerror or error}.",
                fix="make room, a smaller train.feature_cache.views, or --continue with "
                "train.feature_cache.where: memory.",
            ) from error
        self._files[lot] = path

    def take(self, views: Sequence[int]) -> dict[str, Tensor]:
        """Return these views, in their order."""
        rows = [self._row(*divmod(view, self._batch)) for view in views]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def clear(self) -> None:
        """Remove the files, and the folder if nothing else is in it."""
        for file in self._files.values():
            file.unlink(missing_ok=True)
        self._files.clear()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _row(self, lot: int, row: int) -> dict[str, Tensor]:
        with safe_open(self._files[lot], framework="pt") as file:
            return {name: file.get_slice(name)[row] for name in file.keys()}
