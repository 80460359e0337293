"""Read, check and measure runs, so that they can be compared."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.folds.splits_origin import origin_of
from nnunet_vit.data.labels import differing
from nnunet_vit.errors import ConfigError, DataError, counted, shortened
from nnunet_vit.evaluation.comparing.comparison import Comparison
from nnunet_vit.evaluation.comparing.run_results import RunResults, read_results, references_of
from nnunet_vit.evaluation.evaluate import measure
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress


def compare_runs(
    paths: Sequence[Path],
    progress: Progress,
    *,
    references: Path | None = None,
    folds: Sequence[int] | None = None,
    wanted: Wanted | None = None,
    patients: str | None = None,
) -> Comparison:
    """Measure runs on the same cases.

    Args:
        paths: model folders, ours or nnU-Net's, or folders of masks; two or more.
        progress: where to show what happens.
        references: folder of true masks; None: the one that the first run was validated against.
        folds: whose validations to take; None: all, which must be the same in every run.
        wanted: what to measure; None: Dice.
        patients: a regular expression that finds the patient in a case's name, in its first group
            or as a whole; None: the groups that the folds were made with, where a note of them
            lies beside the true masks, else each case is a patient.

    Raises:
        ConfigError: fewer than two runs, or an expression that finds nothing.
        DataError: runs have other cases or classes, or masks are not what they seem.
        ModelError: a fold is not validated.
    """
    use_processors()
    wanted = wanted or Wanted(("dice",))
    wanted.chosen(progress.warn)
    if len(paths) < 2:
        raise ConfigError("compare needs two runs or more.", fix="vit_cli compare RUN RUN")
    places = [path.resolve() for path in paths]
    twice = sorted({str(place) for place in places if places.count(place) > 1})
    if twice:
        raise ConfigError(f"compare: {', '.join(twice)} is given twice.", fix="two different runs.")
    truth = references or found_references(paths)
    progress.log(f"True masks: {truth}")
    runs = [read_results(path, folds, truth) for path in paths]
    check_same(runs)
    groups = patients_of(runs[0].masks, patients, truth.parent)
    pairs = [pairs_of(run, truth) for run in runs]
    wanted = _measurable(wanted, runs, pairs, progress)
    measurements = [
        measure(of_run, run.task, wanted, progress=progress, name=run.name)[1]
        for run, of_run in zip(runs, pairs, strict=True)
    ]
    return Comparison(runs, measurements, groups)


def _measurable(
    wanted: Wanted, runs: Sequence[RunResults], pairs: Sequence[list[Pair]], progress: Progress
) -> Wanted:
    """Return what can be measured in every run: probabilities may be there for some alone."""
    found = [
        [metric.name for metric in wanted.measurable(of_run, run.task.ending, progress.warn)]
        for run, of_run in zip(runs, pairs, strict=True)
    ]
    return replace(wanted, metrics=[name for name in found[0] if all(name in f for f in found)])


def patients_of(
    cases: Collection[str], expression: str | None, folder: Path | None = None
) -> dict[str, str]:
    """Return the patient of each case.

    Args:
        cases: of all runs.
        expression: as of `compare_runs`.
        folder: of the dataset's preprocessed data, whose note of groups counts without expression.

    Raises:
        ConfigError: the expression is none, or does not find a patient in some name.
    """
    if expression is None:
        origin = None if folder is None else origin_of(folder)
        noted = {} if origin is None else origin.of_cases
        return {case: noted.get(case, case) for case in cases}
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ConfigError(f"--patients {expression}: no regular expression: {error}.") from error
    part = 1 if pattern.groups else 0
    found = {case: match[part] for case in cases if (match := pattern.search(case))}
    without = [case for case in cases if not found.get(case)]
    if without:
        raise ConfigError(
            f"--patients {expression} finds no patient in {shortened(without)}.",
            fix="an expression for all names: '^(P[0-9]+)_' for P012_left.",
        )
    return found


def found_references(paths: Sequence[Path]) -> Path:
    """Return the folder that the runs' summaries name.

    Raises:
        DataError: none is there, or runs were validated against different ones.
        ModelError: a run's summaries are damaged.
    """
    found = {path: folder for path in paths if (folder := references_of(path)) is not None}
    if not found:
        raise DataError(
            f"No folder of true masks is known: no summary.json of {', '.join(map(str, paths))} "
            "names one that is there.",
            fix="-r FOLDER",
        )
    folders = sorted({str(folder.resolve()) for folder in found.values()})
    if len(folders) > 1:
        raise DataError(
            f"The runs were validated against different folders: {', '.join(folders)}.",
            fix="-r FOLDER, the one that holds the true masks of all.",
        )
    return next(iter(found.values()))


def pairs_of(run: RunResults, references: Path) -> list[Pair]:
    """Return each mask of a run with its reference.

    Raises:
        DataError: a mask has no reference.
    """
    ending = run.task.ending
    pairs = [Pair(mask, references / f"{case}{ending}") for case, mask in sorted(run.masks.items())]
    without = [pair.reference.name for pair in pairs if not pair.reference.is_file()]
    if without:
        raise DataError(
            f"{references} lacks {len(without)} of {len(pairs)} masks: {shortened(without)}.",
            fix="-r, the folder of true masks.",
        )
    return pairs


def check_same(runs: Sequence[RunResults]) -> None:
    """Refuse runs that were not validated on the same cases, or that have other classes.

    Raises:
        DataError: says what differs.
    """
    first, faults = runs[0], []
    for run in runs[1:]:
        if run.folds and first.folds and run.folds != first.folds:
            common = sorted(set(run.folds) & set(first.folds))
            use = f"--folds {' '.join(map(str, common))}" if common else ""
            faults.append(
                Fault(f"{run.path} has folds {_numbers(run)}, {first.path} {_numbers(first)}.", use)
            )
        elif run.masks.keys() != first.masks.keys():
            faults.append(_other_cases(run, first))
        labels, others = run.task.labels, first.task.labels
        same = (labels.classes, labels.ignore) == (others.classes, others.ignore)
        if not same or differing(run.task.description, first.task.description, ()):
            faults.append(
                Fault(
                    f"{run.path} has the labels {run.task.description['labels']}; {first.path} "
                    f"{first.task.description['labels']}."
                )
            )
    refuse("The runs cannot be compared", faults)


def _other_cases(run: RunResults, first: RunResults) -> Fault:
    more, fewer = run.masks.keys() - first.masks.keys(), first.masks.keys() - run.masks.keys()
    return Fault(
        f"{run.path} has other cases than {first.path}: {counted(len(more), 'case')} "
        f"more{_named(more)}, {len(fewer)} fewer{_named(fewer)}.",
        "runs that were trained with the same splits_final.json.",
    )


def _numbers(run: RunResults) -> str:
    return ", ".join(map(str, run.folds))


def _named(cases: Iterable[str]) -> str:
    names = sorted(cases)
    return f" ({shortened(names)})" if names else ""
