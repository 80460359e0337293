"""A training whose results could not be written ends before any file of the data is read."""

import pytest
from nnunet_folders import nnunet_folders, write_dataset
from read_only import read_only

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import MachineError
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.fold_preparation import Request, prepare_fold

__all__ = ["nnunet_folders", "read_only", "write_dataset"]
pytestmark = pytest.mark.unit
RUN = {
    "data": {"dataset": 5, "configuration": "2d", "fold": 0},
    "model": {"head": "linear", "backbone": "timm:vit_tiny_patch16_224", "pretrained": False},
}


@pytest.mark.parametrize("key", ["results", "preprocessed"])
def test_each_folder_that_is_written(nnunet_folders, write_dataset, read_only, key):
    write_dataset()
    read_only(nnunet_folders / key)
    with pytest.raises(MachineError) as caught:
        prepare_fold(ViTnnUNetConfig.model_validate(RUN), Request("cpu"), Progress())
    place = nnunet_folders / key
    assert str(caught.value).startswith(f"nnUNet_{key} (or paths.{key}): {place / 'Dataset005_Mi'}")
    assert f"cannot be written: the disk of {place} is read-only" in str(caught.value)
    assert list(place.iterdir()) == []
