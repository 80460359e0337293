"""The input channels in their order, and which normalization each gets.

nnU-Net numbers the image files and takes the names in the order of dataset.json. Where the keys are
the numbers, they decide here; where they are names, the order of the file, as in nnU-Net.
"""

from collections.abc import Mapping

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.nnunet.plans_file import PLANS, read_plans, resolved


def in_order(channel_names: Mapping[str, str]) -> dict[str, str]:
    """Return the names by key in the order of the channels."""
    keys = list(channel_names)
    if all(key.isascii() and key.isdigit() for key in keys):
        keys.sort(key=int)
    return {key: channel_names[key] for key in keys}


def schemes_of_names(names: Mapping[str, str]) -> list[str]:
    """Return nnU-Net's normalization of each name, by class name, in the order given."""
    from nnunetv2.preprocessing.normalization.map_channel_name_to_normalization import (
        get_normalization_scheme,
    )

    return [get_normalization_scheme(name).__name__ for name in names.values()]


def normalization_of(dataset: Dataset, configuration: str) -> list[str]:
    """Return the normalization of each channel: of the plans that normalize, where there are some.

    Raises:
        DataError: the plans are damaged, or dataset.json names channels that nnU-Net cannot read.
    """
    path = dataset.preprocessed / f"{PLANS}.json"
    if path.exists():
        plans = read_plans(path)
        if configuration in plans["configurations"]:
            return schemes_of_plans(resolved(path, plans, configuration))
    return dataset.normalization_schemes()


def schemes_of_plans(configuration: JsonObject) -> list[str]:
    """Return the normalization of each channel of a checked configuration."""
    return [str(scheme) for scheme in configuration["normalization_schemes"]]
