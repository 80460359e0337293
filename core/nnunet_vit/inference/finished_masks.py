"""Which masks of a folder are finished, and what they were made from."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.files.digests import known_sha256, sha256
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs

if TYPE_CHECKING:
    from nnunet_vit.inference.loaded_model import LoadedModel

STACKS = (".tif", ".tiff")
RECORD = "predicted.jsonl"  # a line per mask, the last one of a case counts


class FinishedMasks:
    """The record of a folder of masks. Several predictions may add to it at once."""

    def __init__(self, folder: Path, maker: str) -> None:
        """Read the record of a folder.

        Args:
            folder: of masks; it need not exist.
            maker: digest of the model and of how it predicts.
        """
        self._folder, self._maker = folder, maker
        self._entries = _entries(folder / RECORD)

    def holds(self, case: str, images: Sequence[Path], names: Iterable[str]) -> bool:
        """Tell whether files of a case are there as they were made, from these images."""
        entry = self._entries.get(case, {})
        if entry.get("made_from") != self._made_from(images):
            return False
        digests = entry.get("files")
        return isinstance(digests, dict) and all(
            self._is_as_made(name, digests.get(name)) for name in names
        )

    def add(self, case: str, images: Sequence[Path], names: Iterable[str]) -> None:
        """Record files that have been written for a case.

        Raises:
            OSError: the disk refuses.
        """
        digests = {name: sha256(self._folder / name) for name in names}
        entry = {"case": case, "made_from": self._made_from(images), "files": digests}
        with (self._folder / RECORD).open("a", encoding="utf-8") as record:
            record.write(json.dumps(entry) + "\n")

    def _is_as_made(self, name: str, digest: object) -> bool:
        try:
            return sha256(self._folder / name) == digest
        except OSError:
            return False

    def _made_from(self, images: Sequence[Path]) -> str:
        files = [*images, *_spacings(images)]
        parts = [self._maker, *(known_sha256(file) for file in files)]
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _spacings(images: Iterable[Path]) -> list[Path]:
    """Return CASE.json beside CASE_0000.tif, where nnU-Net finds the spacing of a stack."""
    stacks = (file for file in images if file.suffix.lower() in STACKS)
    named = [file.with_name(f"{file.stem[: -len('_0000')]}.json") for file in stacks]
    return [file for file in dict.fromkeys(named) if file.is_file()]


def left_to_predict(inputs: Inputs, record: FinishedMasks, outputs: CaseOutputs) -> Inputs:
    """Return the cases without all their files, or all cases where nothing is resumed."""
    if not outputs.options.resume:
        return inputs
    finished = {
        case
        for case, files in inputs.cases.items()
        if record.holds(case, files, outputs.names(case))
    }
    return inputs.without(finished)


def already_there(inputs: Inputs, left: Inputs) -> list[str]:
    """Return the cases that are not predicted again."""
    return [case for case in inputs.cases if case not in left.cases]


def maker_digest(models: Sequence["LoadedModel"], how: JsonObject) -> str:
    """Return a digest of models, to the last bit of their weights, and of how they predict."""
    import torch

    digest = hashlib.sha256(json.dumps(how, sort_keys=True).encode())
    for model in models:
        digest.update(json.dumps([model.plans.plans, model.description], sort_keys=True).encode())
        for network in model.networks:
            for name, tensor in sorted(network.state_dict().items()):
                digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
                values = tensor.detach().cpu().contiguous().flatten()
                digest.update(values.view(torch.uint8).numpy())  # numpy has no bfloat16
    return digest.hexdigest()


def file_maker_digest(file: Path, how: JsonObject) -> str:
    """Return a digest of what an ensemble's file says, and of how it predicts.

    The file names its models by their digests.
    """
    text = json.dumps(how, sort_keys=True)
    return hashlib.sha256(f"{sha256(file)} {text}".encode()).hexdigest()


def _entries(record: Path) -> dict[str, Mapping[str, object]]:
    """Return the last entry of each case; a line that a kill has cut off is none."""
    found: dict[str, Mapping[str, object]] = {}
    try:
        lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("case"), str):
            found[entry["case"]] = entry
    return found
