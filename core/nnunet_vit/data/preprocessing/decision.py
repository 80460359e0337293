"""What has to be done before a training, as a decision that others carry out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.data_record import Record
from nnunet_vit.data.preprocessing.raw_files import Files


@dataclass
class Work:
    """What has to be done before a training.

    Attributes:
        files: the raw files of each case; empty where only preprocessed data are there.
        cases: those that the training will have.
        plan: nnU-Net plans.
        preprocess: all cases are preprocessed; those that an interrupted start has finished stay.
        from_scratch: those too are preprocessed again.
        added: cases that are preprocessed beside those that are there, or that join the splits.
        removed: cases that leave the splits.
        truth: cases whose label file is copied again for the validation.
        schemes: the normalization of each channel; None where nnU-Net is about to plan.
        record: returns the record to write for data that need no work, or None.
        notices: what the user should look at, one line each.
    """

    files: Files
    cases: list[str]
    plan: bool = False
    preprocess: bool = False
    from_scratch: bool = False
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    truth: list[str] = field(default_factory=list)
    schemes: list[str] | None = None
    record: Callable[[], Record] | None = None
    notices: list[str] = field(default_factory=list)


def miscounted(dataset: Dataset, count: int) -> list[str]:
    """Return one line where dataset.json counts the training cases wrongly."""
    said = dataset.description.get("numTraining")
    if said == count and not isinstance(said, bool):
        return []
    wrong = "does not say numTraining" if said is None else f"says numTraining {said!r}"
    return [f"dataset.json {wrong}; {count} training cases are there, and they count."]
