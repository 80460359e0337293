"""The raw dataset as nnU-Net is shown it: the cases that were found, counted, channels in order.

nnU-Net takes the list of files, their number and the order of the channels from dataset.json. It is
given one of its own, beside the preprocessed data, so that it sees what this package sees: no files
of other programs, no wrong numTraining. The user's dataset.json stays as it is.
"""

import contextlib
import shutil
from collections.abc import Iterator

from nnunet_vit.data.channels import in_order
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.raw_files import Files
from nnunet_vit.files.json_file import JsonObject, write_json
from nnunet_vit.nnunet.dataset_names import found_by_nnunet
from nnunet_vit.nnunet.folders import VARIABLES, environment

FOLDER = ".raw"


def description_of(dataset: Dataset, count: int) -> JsonObject:
    """Return dataset.json with the number of cases that are there and channels in order."""
    names = in_order(dataset.description["channel_names"])
    return {**dataset.description, "channel_names": names, "numTraining": count}


@contextlib.contextmanager
def shown_to_nnunet(dataset: Dataset, files: Files) -> Iterator[None]:
    """Let nnU-Net find these cases and no others, in its raw folder and beside its plans.

    Args:
        dataset: with raw data.
        files: of each case, images in the order of the channels and the label.
    """
    listed = {
        case: {
            "images": [str(path.absolute()) for path in paths[:-1]],
            "label": str(paths[-1].absolute()),
        }
        for case, paths in files.items()
    }
    shown = {**description_of(dataset, len(files)), "dataset": listed}
    root = dataset.preprocessed / FOLDER
    (root / dataset.name).mkdir(parents=True, exist_ok=True)
    beside = dataset.preprocessed / "dataset.json"
    try:
        write_json(shown, root / dataset.name / "dataset.json")
        write_json(shown, beside)  # preprocessing reads this one
        with (
            environment(VARIABLES["raw"], str(root.absolute())),
            found_by_nnunet(dataset.name),
        ):
            yield
    finally:
        shutil.rmtree(root, ignore_errors=True)
        write_json(description_of(dataset, len(files)), beside)
