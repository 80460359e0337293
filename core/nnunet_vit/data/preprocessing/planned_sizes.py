"""nnU-Net's plans of a dataset, made where they are missing, without preprocessing anything."""

from dataclasses import replace

from nnunet_vit.data.checking.training_files import check_training_files
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.dataset_plans import plans_of
from nnunet_vit.data.preprocessing.freshness import decide
from nnunet_vit.data.preprocessing.making import carry_out
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writable import check_writable
from nnunet_vit.nnunet.folders import VARIABLES, alone_in
from nnunet_vit.report.progress import Progress


def planned(
    dataset: Dataset,
    configuration: str,
    vit_patch: int,
    *,
    progress: Progress,
    asked: Asked = NOTHING,
    read: ReadCases | None = None,
) -> tuple[JsonObject, JsonObject]:
    """Return nnU-Net's plans and the configuration; a training that follows takes the same ones.

    Args:
        dataset: to plan for.
        configuration: of its plans.
        vit_patch: edge of the ViT's patches in pixels; smaller images are refused.
        progress: where to show what happens.
        asked: what may change of preprocessed data that are there.
        read: keeps what the check reads of the cases for a training that follows; None: none does.

    Raises:
        ConfigError: the plans have no such configuration, or it is not 2D.
        DataError: the dataset is unfit, or what is there belongs to other raw data.
    """
    work = decide(dataset, configuration, asked)
    for notice in work.notices:
        progress.log_once(notice)
    if work.plan:
        folder = dataset.preprocessed
        check_writable(folder, f"{VARIABLES['preprocessed']} (or paths.preprocessed): {folder}")
        read = read or ReadCases(work.files, fingerprints=True, room=0)
        check_training_files(dataset, vit_patch, progress, take=read.take)
        with alone_in(folder, progress.log):
            work = decide(dataset, configuration, asked)
            if work.plan:
                alone = replace(work, preprocess=False, added=[], removed=[], truth=[], record=None)
                carry_out(dataset, configuration, alone, progress=progress, read=read)
    return plans_of(dataset, configuration)
