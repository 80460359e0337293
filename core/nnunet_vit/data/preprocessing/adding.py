"""Preprocess new cases with the plans that are there, beside those that have been preprocessed."""

import shutil

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.planning import preprocess
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.raw_files import Files
from nnunet_vit.data.preprocessing.raw_view import counted, shown_to_nnunet
from nnunet_vit.errors import DataError, shortened
from nnunet_vit.files.json_file import JsonObject, write_json
from nnunet_vit.report.progress import Progress

TEMPORARY = "nnUNetPlans_of_new_cases"


def add_cases(
    dataset: Dataset,
    configuration: str,
    plans: JsonObject,
    *,
    own: JsonObject,
    new: Files,
    files: Files,
    progress: Progress,
) -> None:
    """Let nnU-Net preprocess new cases in a folder of their own, then move them to the others.

    Args:
        dataset: whose.
        configuration: of the plans.
        plans: of the dataset.
        own: the configuration with what it inherits.
        new: the raw files of the new cases.
        files: those of all cases.
        progress: where to show how many are done.

    Raises:
        DataError: nnU-Net cannot read or preprocess a case; nothing has been added then.
    """
    root = dataset.preprocessed
    data, fresh = DataFolder(root, own["data_identifier"]), DataFolder(root, TEMPORARY)
    other = {**own, "data_identifier": TEMPORARY}
    plans_file = root / f"{TEMPORARY}.json"
    try:
        write_json({**plans, "configurations": {configuration: other}}, plans_file)
        with shown_to_nnunet(dataset, new):
            preprocess(dataset, configuration, progress, plans=TEMPORARY)
        missing = sorted(set(new) - fresh.cases())
        if missing:
            raise DataError(f"nnU-Net has not preprocessed all cases: {shortened(missing)}.")
        # a case's properties come last: they make it one that is there
        for file in sorted(fresh.path.iterdir(), key=lambda file: file.suffix == ".pkl"):
            file.replace(data.path / file.name)
    finally:
        plans_file.unlink(missing_ok=True)
        shutil.rmtree(fresh.path, ignore_errors=True)
        write_json(counted(dataset, len(files)), root / "dataset.json")
