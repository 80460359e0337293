"""Fingerprint, plans and preprocessed data, made by nnU-Net where they are missing or outdated."""

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.folds.first_splits import ensure_splits
from nnunet_vit.data.folds.fold_rules import NO_RULES, FoldRules
from nnunet_vit.data.preprocessing.freshness import decide
from nnunet_vit.data.preprocessing.in_use import train_on
from nnunet_vit.data.preprocessing.making import carry_out
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.data.preprocessing.truth import TRUTH
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.nnunet.folders import alone_in
from nnunet_vit.report.progress import Progress


def prepare(
    dataset: Dataset,
    configuration: str,
    progress: Progress,
    *,
    asked: Asked = NOTHING,
    fold: int | str = "all",
    rules: FoldRules = NO_RULES,
    read: ReadCases | None = None,
) -> JsonObject:
    """Return the dataset's plans; plan and preprocess first where that has not been done.

    From then on nobody else changes the preprocessed data, until this process ends or leaves
    `locks.given_back`.

    Args:
        dataset: to train on.
        configuration: of its plans.
        progress: where to show what happens.
        asked: what may change of data that are there.
        fold: that is trained; splits are written for a number.
        rules: what the folds have to keep to.
        read: what the check has just read of the cases; None: they are read.

    Raises:
        ConfigError: the plans have no such configuration, or it is not 2D.
        DataError: nnU-Net finds the dataset unfit, what is there belongs to other raw data, or
            there is nothing to prepare from.
        MachineError: data would change that another process trains on.
    """
    decide(dataset, configuration, asked)  # refuses before a folder is made
    with alone_in(dataset.preprocessed, progress.log):
        work = decide(dataset, configuration, asked)
        plans = carry_out(dataset, configuration, work, progress=progress, rules=rules,
                          read=read)  # fmt: skip
        if fold != "all":
            ensure_splits(
                dataset.preprocessed, work.cases, rules, labels=dataset.preprocessed / TRUTH,
                description=dataset.description, log=progress.log,
            )  # fmt: skip
        if read is not None:
            read.forget()  # a training lasts for days
        train_on(dataset.preprocessed, f"fold {fold} of {configuration}")
    return plans
