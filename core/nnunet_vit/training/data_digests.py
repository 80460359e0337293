"""What a training depends on beside its run: the fold's cases, their files, and the plans."""

from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.data.preprocessing.data_record import files_of_cases
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.split_update import KEPT
from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.nnunet.run_names import digest_of

NAMED = {
    "split": "the fold's training and validation cases",
    "plans": "nnU-Net's plans",
    "files": "the images, labels or classes that the data were preprocessed from",
}


def data_digests(
    data: DataFolder,
    plans: JsonObject,
    configuration: JsonObject,
    *,
    split: tuple[Sequence[str], Sequence[str]],
) -> dict[str, str]:
    """Return one digest of each thing that the training depends on, by the keys of NAMED.

    Files are left out where no record says what was preprocessed.

    Args:
        data: the preprocessed data.
        plans: those of the run.
        configuration: the one of the plans that is trained.
        split: the fold's training and validation cases.
    """
    own = {key: value for key, value in configuration.items() if key != "architecture"}
    others = {key: value for key, value in plans.items() if key != KEY}
    digests = {
        "split": digest_of([sorted(cases) for cases in split]),
        "plans": digest_of(others | {"configurations": own}),
    }
    record = data.record()
    if record is not None:
        digests["files"] = digest_of(
            files_of_cases(record, {case for part in split for case in part})
        )
    return digests


def check_unchanged(now: dict[str, str], then: dict[str, str], fold: Path, *, data: Path) -> None:
    """Refuse to resume on other data than the checkpoint was trained on.

    Args:
        now: the digests of today.
        then: those in the checkpoint; an older version has fewer.
        fold: the checkpoint's folder.
        data: the dataset's folder of preprocessed data.

    Raises:
        ModelError: something differs; it says what, and how to bring it back.
    """
    changed = [name for name in now if then.get(name, now[name]) != now[name]]
    if "split" in changed:  # other cases have other files
        changed = [name for name in changed if name != "files"]
    if changed:
        raise ModelError(
            f"Since the checkpoint in {fold} was saved, "
            f"{' and '.join(NAMED[name] for name in changed)} have changed.",
            fix="bring back splits_final.json, nnUNetPlans.json and the raw data as they were"
            f"{_splits_before_update(data)}, or --overwrite to start from scratch.",
        )


def _splits_before_update(folder: Path) -> str:
    """Return the words for the splits that --update-data has kept, if there are any."""
    kept = sorted(file.name for file in folder.glob(KEPT.format("*")))
    return f" (--update-data has kept {', '.join(kept)})" if kept else ""
