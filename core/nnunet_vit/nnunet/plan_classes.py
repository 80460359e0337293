"""Classes and functions that nnU-Net's plans name: each must be one that this nnU-Net has."""

from pathlib import Path

from nnunet_vit.files.json_file import JsonMapping

USUAL = {  # what nnU-Net's planner writes: known without loading its modules
    "label_manager": {"LabelManager"},
    "preprocessor_name": {"DefaultPreprocessor"},
    "normalization_schemes": {
        "ZScoreNormalization",
        "CTNormalization",
        "NoNormalization",
        "RescaleTo01Normalization",
        "RGBTo01Normalization",
    },
    "resampling_fn_data": {"resample_data_or_seg_to_shape"},
    "resampling_fn_seg": {"resample_data_or_seg_to_shape"},
    "resampling_fn_probabilities": {"resample_data_or_seg_to_shape"},
}
MODULES = {
    "label_manager": "utilities.label_handling",
    "preprocessor_name": "preprocessing",
    "normalization_schemes": "preprocessing.normalization",
}
RESAMPLING = "preprocessing.resampling"


def unknown_classes(plans: JsonMapping, configuration: JsonMapping) -> list[str]:
    """Return a sentence's part for each name that is nothing of this nnU-Net's."""
    given = {**configuration, "label_manager": plans.get("label_manager", "LabelManager")}
    problems = []
    for key, usual in USUAL.items():
        if key not in given:  # plans of early releases have no resampling
            continue
        named = given[key] if isinstance(given[key], list) else [given[key]]
        for name in dict.fromkeys(map(str, named)):
            if name not in usual and not _is_there(name, MODULES.get(key, RESAMPLING)):
                problems.append(
                    f"{key} '{name[:60]}' is none of this nnU-Net's; usual: "
                    f"{', '.join(sorted(usual))}"
                )
    return problems


def _is_there(name: str, module: str) -> bool:
    import nnunetv2
    from nnunetv2.utilities.find_class_by_name import recursive_find_python_class

    folder = Path(nnunetv2.__path__[0]).joinpath(*module.split("."))
    found = recursive_find_python_class(str(folder), name, f"nnunetv2.{module}")
    # its modules hold other things too: what they import
    own = str(getattr(found, "__module__", "")).startswith(f"nnunetv2.{module}")
    return own and (callable(found) if module == RESAMPLING else isinstance(found, type))
