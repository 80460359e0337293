"""Read, check and measure runs, so that they can be compared."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from nnunet_vit.data.checks.raster_reading import endings
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.errors import ConfigError, DataError, counted, shortened
from nnunet_vit.evaluation.comparison import Comparison
from nnunet_vit.evaluation.evaluate import measure
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.run_results import RunResults, read_results, references_of
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
            or as a whole; None: each case is a patient.

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
    truth = references or _found_references(paths)
    runs = [read_results(path, folds, truth) for path in paths]
    _check_same(runs)
    groups = patients_of(runs[0].masks, patients)
    measurements = [_measured(run, truth, wanted, progress=progress) for run in runs]
    return Comparison(runs, measurements, groups)


def patients_of(cases: Iterable[str], expression: str | None) -> dict[str, str]:
    """Return the patient of each case.

    Raises:
        ConfigError: the expression is none, or does not find a patient in some name.
    """
    if expression is None:
        return {case: case for case in cases}
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ConfigError(f"--patients {expression}: no regular expression: {error}.") from error
    found = {case: pattern.search(case) for case in cases}
    without = [case for case, match in found.items() if match is None]
    if without:
        raise ConfigError(
            f"--patients {expression} finds no patient in {shortened(without)}.",
            fix="an expression for all names: '^(P[0-9]+)_' for P012_left.",
        )
    return {
        case: match[1] if pattern.groups else match[0] for case, match in found.items() if match
    }


def _found_references(paths: Sequence[Path]) -> Path:
    for path in paths:
        found = references_of(path)
        if found is not None:
            return found
    raise DataError(
        f"No folder of true masks is known: no summary.json of {', '.join(map(str, paths))} names "
        "one that is there.",
        fix="-r FOLDER",
    )


def _measured(
    run: RunResults, references: Path, wanted: Wanted, *, progress: Progress
) -> Measurement:
    ending = run.task.ending
    pairs = [Pair(mask, references / f"{case}{ending}") for case, mask in sorted(run.masks.items())]
    without = [pair.reference.name for pair in pairs if not pair.reference.is_file()]
    if without:
        raise DataError(
            f"{references} lacks {len(without)} of {len(pairs)} masks: {shortened(without)}.",
            fix="-r, the folder of true masks (*" + ending + f"); nnU-Net reads {len(endings())} "
            "kinds.",
        )
    _, measurement = measure(pairs, run.task, wanted, progress=progress, name=run.name)
    return measurement


def _check_same(runs: Sequence[RunResults]) -> None:
    """Refuse runs that were not validated on the same cases, or that have other classes."""
    first, faults = runs[0], []
    for run in runs[1:]:
        if run.folds != first.folds:
            common = sorted(set(run.folds) & set(first.folds))
            use = f"--folds {' '.join(map(str, common))}" if common else ""
            faults.append(
                Fault(f"{run.path} has folds {_numbers(run)}, {first.path} {_numbers(first)}.", use)
            )
        elif run.masks.keys() != first.masks.keys():
            more, fewer = (
                run.masks.keys() - first.masks.keys(),
                first.masks.keys() - run.masks.keys(),
            )
            faults.append(
                Fault(
                    f"{run.path} has other cases than {first.path}: {counted(len(more), 'case')} "
                    f"more{_named(more)}, {len(fewer)} fewer{_named(fewer)}.",
                    "runs that were trained with the same splits_final.json.",
                )
            )
        if list(run.task.labels.classes) != list(first.task.labels.classes):
            faults.append(
                Fault(
                    f"{run.path} has the classes {', '.join(run.task.labels.classes)}; "
                    f"{first.path} {', '.join(first.task.labels.classes)}."
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
    return ", ".join(map(str, run.folds)) or "none, it is a folder of masks"


def _named(cases: Iterable[str]) -> str:
    names = sorted(cases)
    return f" ({shortened(names)})" if names else ""
