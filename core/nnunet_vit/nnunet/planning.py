"""nnU-Net's own planning and preprocessing, called; what it says of bad files becomes an error."""

import contextlib
import io

from nnunet_vit.errors import DataError
from nnunet_vit.nnunet.dataset import Dataset
from nnunet_vit.nnunet.folders import environment

PLANS = "nnUNetPlans"


def plan(dataset: Dataset) -> None:
    """Let nnU-Net take the fingerprint of a dataset and write its plans.

    Raises:
        DataError: nnU-Net finds the dataset unfit.
    """
    from nnunetv2.configuration import default_num_processes
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprint_dataset,
        plan_experiment_dataset,
    )

    said = io.StringIO()
    try:
        # nnU-Net's planner cannot be told 0 workers, which is a fair setting for training
        with contextlib.redirect_stdout(said), environment("nnUNet_n_proc_DA", "1"):
            extract_fingerprint_dataset(
                dataset.number,
                num_processes=default_num_processes,
                check_dataset_integrity=True,
                verbose=False,
                show_progress_bar=False,
            )
            plan_experiment_dataset(dataset.number)
    except (RuntimeError, AssertionError, ValueError, OSError) as error:
        raise DataError(
            f"nnU-Net refuses {dataset.name}: {_reason(error, said.getvalue())}"
        ) from error


def preprocess(dataset: Dataset, configuration: str, plans: str = PLANS) -> None:
    """Let nnU-Net preprocess all cases for a configuration of plans, by their name.

    Raises:
        DataError: nnU-Net cannot read or preprocess a case.
    """
    from nnunetv2.configuration import default_num_processes
    from nnunetv2.experiment_planning.plan_and_preprocess_api import preprocess_dataset

    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            preprocess_dataset(
                dataset.number,
                plans,
                configurations=[configuration],
                num_processes=[default_num_processes],
                show_progress_bar=False,
            )
    except (RuntimeError, AssertionError, ValueError, OSError) as error:
        raise DataError(
            f"nnU-Net cannot preprocess {dataset.name}: {_reason(error, said.getvalue())}"
        ) from error


def _reason(error: Exception, said: str) -> str:
    """Return what nnU-Net printed about the bad file, which its exception does not repeat."""
    printed = [line.strip() for line in said.splitlines() if "error" in line.lower()]
    return " ".join([*printed[:2], str(error).strip() or type(error).__name__])
