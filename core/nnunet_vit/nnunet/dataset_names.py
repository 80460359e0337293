"""nnU-Net finds a dataset by its number alone, and 123 is the beginning of 1234 to it."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def found_by_nnunet(name: str) -> Iterator[None]:
    """Let every number mean this dataset to nnU-Net, whatever other names begin alike."""
    from nnunetv2.experiment_planning import plan_and_preprocess_api
    from nnunetv2.utilities import dataset_name_id_conversion

    modules = (plan_and_preprocess_api, dataset_name_id_conversion)
    before = [module.convert_id_to_dataset_name for module in modules]
    try:
        for module in modules:
            module.convert_id_to_dataset_name = lambda dataset_id: name
        yield
    finally:
        for module, original in zip(modules, before, strict=True):
            module.convert_id_to_dataset_name = original
