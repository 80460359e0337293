"""Find the best run or ensemble of a dataset, and write the file that predicts with it."""

import math
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.checkpoints.validation_summary import BETWEEN
from nnunet_vit.config.load import load_run
from nnunet_vit.config.models import PathsConfig
from nnunet_vit.data.description_file import read_description
from nnunet_vit.data.preprocessing.truth import TRUTH
from nnunet_vit.data.splits import NAME as SPLITS
from nnunet_vit.data.splits import validation_cases
from nnunet_vit.errors import ConfigError, MachineError, ModelError, counted
from nnunet_vit.evaluation.comparing.compare import patients_of
from nnunet_vit.evaluation.comparing.paired_statistics import Difference
from nnunet_vit.evaluation.ranking.choose import Choice, choose
from nnunet_vit.evaluation.ranking.comparable_runs import Demand, Run
from nnunet_vit.evaluation.ranking.postprocessing import steps_as_json
from nnunet_vit.evaluation.ranking.scored_masks import Contender
from nnunet_vit.files.json_file import JsonObject, read_json, write_json
from nnunet_vit.files.writable import check_writable
from nnunet_vit.inference.ensemble_file import (
    NAME,
    SCHEMA,
    check_replaceable,
    described,
    digest_of_plans,
    place_of,
)
from nnunet_vit.inference.results_folder import datasets_with_results
from nnunet_vit.nnunet.folders import folder, use_folders, use_processors
from nnunet_vit.report.progress import Progress

USUAL_FOLDS = (0, 1, 2, 3, 4)


def best_of_dataset(
    dataset: str,
    progress: Progress,
    *,
    config: Path | None = None,
    configuration: str | None = None,
    folds: Sequence[int] | None = None,
    wanted: Sequence[str] = (),
    ensembles: bool = True,
    patients: str | None = None,
    output: Path | None = None,
) -> tuple[Choice, Path]:
    """Choose by cross-validation and write what was chosen.

    Args:
        dataset: id or name.
        progress: where to show what happens.
        config: a run file whose paths count; None: those of the environment.
        configuration: of nnU-Net; None: any.
        folds: that runs must have; None: 0 to 4.
        wanted: names or paths of the runs to consider; none: all.
        ensembles: whether to average pairs of runs.
        patients: a regular expression that finds the patient in a case's name, as of compare.
        output: the file to write; None: best.json among the dataset's results.

    Returns:
        The choice, and the file.

    Raises:
        UserError: there is nothing to choose from, or data are not what they seem.
    """
    use_folders(load_run(config).paths if config is not None else PathsConfig())
    use_processors()
    (results,) = datasets_with_results(dataset, None, folder("results"))
    preprocessed = folder("preprocessed") / results.name
    file = output or results / NAME
    check_writable(file.parent, f"-o {file}")
    if file.is_dir() or not file.parent.is_dir():
        what = "is a folder" if file.is_dir() else "is in a folder that is not there"
        raise MachineError(f"-o {file} {what}.", fix="a file, like best.json.")
    check_replaceable(file)
    check_writable(results, f"Merged validations, in {results},")
    used = sorted(set(folds)) if folds else list(USUAL_FOLDS)
    demand = Demand(_cases(preprocessed, used), _description(preprocessed), configuration)
    references = preprocessed / TRUTH
    if not references.is_dir():
        references = folder("raw") / results.name / "labelsTr"
    names = [case for own in demand.cases.values() for case in own]
    choice = choose(results, references, demand, progress, wanted=wanted, ensembles=ensembles,
                    patients=patients_of(names, patients, preprocessed))  # fmt: skip
    write_json(_content(choice, results.name, file), file)
    return choice, file


def _cases(preprocessed: Path, folds: Sequence[int]) -> dict[int, list[str]]:
    there = read_json(preprocessed / SPLITS, "train a fold of the dataset first.")
    absent = [fold for fold in folds if isinstance(there, list) and fold >= len(there)]
    if absent:
        raise ConfigError(
            f"--folds {' '.join(map(str, absent))}: {preprocessed / SPLITS} has "
            f"{counted(len(there), 'fold')}.",
            fix=f"--folds {' '.join(map(str, range(len(there))))}",
        )
    cases = validation_cases(preprocessed / SPLITS, folds)
    names = [case for own in cases.values() for case in own]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"{preprocessed / SPLITS}: {', '.join(twice[:3])} validate in several of folds "
            f"{' '.join(map(str, folds))}: these are no cross-validation.",
            fix="--folds with folds that share no case.",
        )
    return cases


def _description(preprocessed: Path) -> JsonObject:
    file = preprocessed / "dataset.json"
    if not file.is_file():
        raise ModelError(f"{file} is missing.", fix="set nnUNet_preprocessed to its folder.")
    return read_description(file)


def _content(choice: Choice, dataset: str, file: Path) -> JsonObject:
    best, helps = choice.best, choice.postprocessing
    calibration = choice.calibration
    kind = "sigmoids of the regions" if best.task.label_manager().has_regions else "softmaxes"
    return {
        "schema": SCHEMA,
        "written_by": f"nnunet-vit {__version__}, nnunetv2 {metadata.version('nnunetv2')}",
        "written_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "dataset": dataset,
        "description": described(best.task.description),
        "members": [_member(run, file) for run in best.runs],
        "rule": f"equal mean of the members' probabilities ({kind}; of the mean of its folds' "
        "logits each), then nnU-Net's mask of them, then the post-processing",
        "postprocessing": steps_as_json(helps.steps),
        "temperature": None if calibration is None else calibration.temperature,
        "temperature_divides": "the logits of the averaged probabilities, where these are written",
        "calibration": None if calibration is None else calibration.as_json(),
        "dice": {"cross_validation": _number(helps.before), "postprocessed": _number(helps.after)},
        "nnunets_postprocessing": place_of(choice.nnunets_file, file),
        "contenders": _contenders(choice),
        "classes_in_no_reference": list(best.absent),
        "left_out": {name: fault.problem for name, fault in choice.left_out.items()},
    }


def _member(run: Run, file: Path) -> JsonObject:
    folds = {fold: FoldFolder(run.path / f"fold_{fold}") for fold in run.cases}
    return {
        "folder": place_of(run.path, file),
        "configuration": run.path.name.rpartition(BETWEEN)[2],
        "plans": digest_of_plans(run.path),
        "checkpoints": {str(fold): place.digest() for fold, place in folds.items()},
    }


def _contenders(choice: Choice) -> list[JsonObject]:
    differences = (None, *choice.differences)
    return [
        _contender(contender, difference)
        for contender, difference in zip(choice.ranked, differences, strict=True)
    ]


def _contender(contender: Contender, difference: Difference | None) -> JsonObject:
    found: JsonObject = {
        "runs": [run.path.name for run in contender.runs],
        "dice": _number(contender.dice),
        "cases": len(contender.pairs),
    }
    if difference is not None:
        keys = ("mean", "low", "high", "p_holm")
        found["best_minus_this"] = {key: _number(getattr(difference, key)) for key in keys}
        found["may_be_noise"] = not difference.is_shown
    return found


def _number(value: float) -> float | None:
    """Return what JSON can hold: it knows no NaN."""
    return None if math.isnan(value) else value
