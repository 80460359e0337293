"""Folds that are finished: whether today's data are those that they were trained on."""

from collections.abc import Sequence

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.splits import NAME, split_of
from nnunet_vit.errors import ModelError
from nnunet_vit.training.data_digests import check_unchanged, data_digests
from nnunet_vit.training.fold_preparation import ReadyFold


def check_finished_folds(ready: ReadyFold, run: ViTnnUNetConfig, folds: Sequence[int]) -> None:
    """Refuse to merge validations of models that were trained on other data.

    Their masks would be measured against references of today, or averaged with folds of today.

    Args:
        ready: one of the run's folds, whose data were compared with the raw ones.
        run: whose folds they are.
        folds: that are finished.

    Raises:
        ModelError: a fold was trained on other data; it says what has changed.
    """
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    manager = PlansManager(ready.plans).get_configuration(run.data.configuration)
    root = ready.dataset.preprocessed
    data = DataFolder(root, manager.data_identifier)
    for fold in folds:
        folder = ready.folder.with_name(f"fold_{fold}")
        try:
            last = FoldFolder(folder).checkpoint("latest")
        except ModelError:  # the whole model needs none of them
            continue
        if last is not None:
            split = split_of(root / NAME, fold)
            now = data_digests(data, ready.plans, manager.configuration, split=split)
            check_unchanged(now, last.state["data"], folder, data=root)
