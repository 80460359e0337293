"""Where trained models lie: the results folder, and the datasets in it."""

import os
from pathlib import Path

from nnunet_vit.errors import ConfigError, did_you_mean

VARIABLE = "nnUNet_results"


def datasets_with_results(
    dataset: str | None, config: Path | None, results: Path | None
) -> list[Path]:
    """Return the results folders of a dataset, or of all.

    Args:
        dataset: its id or name; None: all.
        config: a run file whose paths.results counts.
        results: the folder itself; None: the run file's, or nnUNet_results.

    Raises:
        ConfigError: the folder is not known or not there, or has no such dataset.
    """
    root = results_folder(config, results)
    if not root.is_dir():
        raise ConfigError(f"The results folder {root} is {_what(root)}.", fix="--results FOLDER")
    there = {path.name: path for path in sorted(root.glob("Dataset*_*")) if path.is_dir()}
    if dataset is None:
        if not there:
            raise ConfigError(f"{root} holds no results of a dataset.", fix="--results FOLDER")
        return list(there.values())
    found = [path for name, path in there.items() if _is_called(name, dataset)]
    if not found:
        nearest = did_you_mean(dataset, there)
        raise ConfigError(
            f"{root} has no results of '{dataset}'.{nearest} There are: "
            f"{', '.join(there) or 'none'}.",
            fix="name one of them, or --results FOLDER" if there else "--results FOLDER",
        )
    return found


def results_folder(config: Path | None, results: Path | None) -> Path:
    """Return the results folder, whether it is there or not.

    Args:
        config: a run file whose paths.results counts.
        results: the folder itself; None: the run file's, or nnUNet_results.

    Raises:
        ConfigError: none of these says it.
    """
    folder = results or _of_run_file(config) or os.environ.get(VARIABLE)
    if not folder:
        raise ConfigError(
            f"The results folder is not known: {VARIABLE} is not set.",
            fix=f"--results FOLDER, or {VARIABLE}=FOLDER.",
        )
    return Path(folder)


def _is_called(name: str, wanted: str) -> bool:
    number = name.removeprefix("Dataset").partition("_")[0]
    same = wanted.isdecimal() and number.isdecimal() and int(number) == int(wanted)
    return name == wanted or same


def _of_run_file(config: Path | None) -> str | None:
    if config is None:
        return None
    from nnunet_vit.config.load import load_run

    return load_run(config).paths.results


def _what(path: Path) -> str:
    return "a file" if path.exists() else "missing"
