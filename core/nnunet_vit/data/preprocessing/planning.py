"""nnU-Net's own planning and preprocessing, called."""

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import environment, folder
from nnunet_vit.nnunet.plans_file import PLANS
from nnunet_vit.report.progress import Progress

SILENT = Progress()


def plan(dataset: Dataset, progress: Progress = SILENT) -> None:
    """Let nnU-Net take the fingerprint of a dataset and write its plans.

    Its own check of the dataset is left out: it waits for ever where one of its processes is
    killed, and `check_training_files`, which comes first, reads the same files for the same faults.

    Args:
        dataset: has raw data.
        progress: where to show that it lasts, and nnU-Net's warnings.

    Raises:
        DataError: nnU-Net finds the dataset unfit.
        MachineError: memory or disk ran out.
    """
    from nnunetv2.configuration import default_num_processes
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprint_dataset,
        plan_experiment_dataset,
    )

    progress.start_work(f"Planning {dataset.name}")
    try:
        # nnU-Net's planner cannot be told 0 workers, which is a fair setting for training
        with (
            captured(f"nnU-Net refuses {dataset.name}", progress),
            environment("nnUNet_n_proc_DA", "1"),
        ):
            extract_fingerprint_dataset(
                dataset.number,
                num_processes=default_num_processes,
                check_dataset_integrity=False,
                verbose=False,
                show_progress_bar=False,
            )
            plan_experiment_dataset(dataset.number)
    finally:
        progress.close()


def preprocess(
    dataset: Dataset, configuration: str, progress: Progress = SILENT, *, plans: str = PLANS
) -> None:
    """Let nnU-Net preprocess all cases for a configuration of plans, by their name.

    Args:
        dataset: has raw data and plans.
        configuration: of the plans.
        progress: where to show how many cases are done, and nnU-Net's warnings.
        plans: their name.

    Raises:
        DataError: nnU-Net cannot read or preprocess a case.
        MachineError: memory or disk ran out.
    """
    from nnunetv2.configuration import default_num_processes
    from nnunetv2.experiment_planning.plan_and_preprocess_api import preprocess_dataset

    try:
        with captured(f"nnU-Net cannot preprocess {dataset.name}", progress):
            _show(dataset, configuration, progress, plans=plans)
            preprocess_dataset(
                dataset.number,
                plans,
                configurations=[configuration],
                num_processes=[default_num_processes],
                show_progress_bar=False,
            )
    finally:
        progress.close()


def _show(dataset: Dataset, configuration: str, progress: Progress, *, plans: str) -> None:
    """Show how many of nnU-Net's cases have been written."""
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
    from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

    cases = get_filenames_of_train_images_and_targets(str(folder("raw") / dataset.name))
    manager = PlansManager(str(dataset.preprocessed / f"{plans}.json"))
    name = manager.get_configuration(configuration).data_identifier
    written = dataset.preprocessed / name
    progress.start_work(
        f"Preprocessing {dataset.name}", len(cases), lambda: len([*written.glob("*.pkl")])
    )
