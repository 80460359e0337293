"""A dataset's plans by nnU-Net, with the one configuration that is used."""

from pathlib import Path

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.data_record import REDO
from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.nnunet.plans_file import PLANS, merged, read_plans, resolved


def plans_of(dataset: Dataset, configuration: str) -> tuple[JsonObject, JsonObject]:
    """Return nnU-Net's plans of a dataset and the configuration with what it inherits.

    Raises:
        ConfigError: the plans have no such configuration, or it is not 2D.
        DataError: they are damaged, or those of another dataset.
    """
    path = dataset.preprocessed / f"{PLANS}.json"
    plans = read_plans(path)
    check_configuration(plans, configuration)
    own = resolved(path, plans, configuration)
    if plans["dataset_name"] != dataset.name:
        raise DataError(
            f"{path} holds the plans of {plans['dataset_name']}, whose data would be trained on.",
            fix=f"write {dataset.name} there if the data are the same; or {REDO}",
        )
    return plans, own


def data_folder_of(dataset: Dataset, configuration: str) -> Path:
    """Return where the plans that are there put a configuration's preprocessed cases."""
    return dataset.preprocessed / str(plans_of(dataset, configuration)[1]["data_identifier"])


def check_configuration(plans: JsonObject, configuration: str) -> None:
    """Refuse a configuration that the plans lack or that is not 2D.

    Raises:
        ConfigError: names those that there are.
    """
    known = plans["configurations"]
    if configuration not in known:
        raise ConfigError(
            f"data.configuration: the plans have no configuration '{configuration}'; "
            f"they have: {', '.join(known)}."
        )
    if _dimensions(plans, configuration) == 3:
        flat = [name for name in known if _dimensions(plans, name) == 2]
        raise ConfigError(
            f"data.configuration: '{configuration}' is 3D, a ViT here sees 2D slices; "
            f"2D configurations: {', '.join(flat)}."
        )


def _dimensions(plans: JsonObject, name: str) -> int:
    size = (merged(plans, name) or {}).get("patch_size")
    return len(size) if isinstance(size, list) else 0
