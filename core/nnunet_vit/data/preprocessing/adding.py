"""Preprocess new cases with the plans that are there, beside those that have been preprocessed."""

import shutil

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.planning import preprocess
from nnunet_vit.data.preprocessing.preprocess_cases import CaseMaker
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.raw_files import Files, States
from nnunet_vit.data.preprocessing.raw_view import description_of
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.data.preprocessing.truth import copy_again
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
    new: States,
    files: Files,
    read: ReadCases,
    progress: Progress,
) -> None:
    """Preprocess new cases in a folder of their own, then move them to the others.

    Args:
        dataset: whose.
        configuration: of the plans.
        plans: of the dataset.
        own: the configuration with what it inherits.
        new: the new cases, with the states of their files.
        files: those of all cases.
        read: what is known of them.
        progress: where to show how many are done.

    Raises:
        DataError: nnU-Net cannot read or preprocess a case; nothing has been added then.
    """
    root = dataset.preprocessed
    data, fresh = DataFolder(root, own["data_identifier"]), DataFolder(root, TEMPORARY)
    other = {**own, "data_identifier": TEMPORARY}
    maker = CaseMaker(
        {**plans, "configurations": {configuration: other}},
        configuration,
        description_of(dataset, len(files)),
        fresh,
    )
    try:
        shutil.rmtree(fresh.path, ignore_errors=True)
        preprocess(maker, files, list(new), states=new, read=read, progress=progress)
        missing = sorted(set(new) - fresh.cases())
        if missing:
            raise DataError(f"nnU-Net has not preprocessed all cases: {shortened(missing)}.")
        copy_again(root, files, new, ending=dataset.description["file_ending"])
        # a case's properties come last: they make it one that is there
        for file in sorted(fresh.path.iterdir(), key=lambda file: file.suffix == ".pkl"):
            file.replace(data.path / file.name)
    finally:
        shutil.rmtree(fresh.path, ignore_errors=True)
        write_json(description_of(dataset, len(files)), root / "dataset.json")
