"""Datasets whose numbers begin alike, which nnU-Net takes for one."""

import pytest

from nnunet_vit.nnunet.dataset_names import found_by_nnunet

pytestmark = pytest.mark.unit


def test_a_number_that_begins_another_one_means_its_dataset(write_dataset):
    from nnunetv2.experiment_planning import plan_and_preprocess_api as api
    from nnunetv2.utilities.dataset_name_id_conversion import maybe_convert_to_dataset_name

    for name in ("Dataset123_Three", "Dataset1234_Four"):
        write_dataset(name)
    with pytest.raises(RuntimeError, match="More than one dataset name"):
        maybe_convert_to_dataset_name(123)
    with found_by_nnunet("Dataset123_Three"):
        assert maybe_convert_to_dataset_name(123) == "Dataset123_Three"
        assert api.convert_id_to_dataset_name(123) == "Dataset123_Three"
    with pytest.raises(RuntimeError, match="More than one dataset name"):
        api.convert_id_to_dataset_name(123)
