"""What the command line may ask for, and what is refused unless it is asked for."""

from dataclasses import dataclass

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.data_record import REDO
from nnunet_vit.data.preprocessing.raw_files import Changes
from nnunet_vit.data.splits import NAME
from nnunet_vit.errors import DataError, shortened

UPDATE = (
    "--update-data preprocesses new cases with the plans that are there and adds them to " + NAME
)
RESUMED = (
    "take them out of the raw data to resume this training; or --update-data with --overwrite "
    "starts it from scratch with them."
)


@dataclass(frozen=True)
class Asked:
    """What the command line asks for.

    Attributes:
        update: preprocess new cases with the plans that are there.
        again: plan and preprocess again.
        resume: the training resumes from a checkpoint.
    """

    update: bool = False
    again: bool = False
    resume: bool = False


NOTHING = Asked()


def refuse(
    dataset: Dataset, found: list[str], difference: Changes, *, asked: Asked, record: object
) -> None:
    """Refuse preprocessed data that do not belong to the raw data.

    Args:
        dataset: whose.
        found: what differs beside the files, one phrase each.
        difference: of the files.
        asked: new cases are no reason where they are asked for.
        record: the file that says what was preprocessed, or None.

    Raises:
        DataError: names all that differs, and what to do.
    """
    problems = list(found)
    if difference.changed:
        problems.append(f"changed files: {shortened(difference.changed)}")
    if difference.removed:
        problems.append(f"removed cases: {shortened(difference.removed)}")
    if problems:
        if difference.added:
            problems.append(f"new cases: {shortened(difference.added)}")
        remedy = f" If nnU-Net itself has preprocessed since, delete {record}." if record else ""
        raise DataError(
            f"The preprocessed data of {dataset.name} no longer belong to its raw data. "
            f"{'; '.join(problems)}.",
            fix=f"{REDO}{remedy}",
        )
    if difference.added and not asked.update:
        count = len(difference.added)
        verb = "case has" if count == 1 else "cases have"
        raise DataError(
            f"{count} {verb} been added to {dataset.name} since it was preprocessed: "
            f"{shortened(difference.added)}.",
            fix=RESUMED if asked.resume else f"{UPDATE}; or {REDO}",
        )
