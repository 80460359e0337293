"""The best run or pair of runs of a dataset by cross-validation, as nnU-Net ranks them."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.validation_summary import command_for
from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import ModelError
from nnunet_vit.evaluation.comparing.comparison import MEAN, Comparison
from nnunet_vit.evaluation.comparing.paired_statistics import Difference, corrected, difference_of
from nnunet_vit.evaluation.comparing.run_results import OURS
from nnunet_vit.evaluation.ranking.comparable_runs import Demand, Run, find_runs
from nnunet_vit.evaluation.ranking.out_of_fold_pixels import calibrated
from nnunet_vit.evaluation.ranking.postprocessing import write_for_nnunet
from nnunet_vit.evaluation.ranking.postprocessing_choice import PostProcessing, determined
from nnunet_vit.evaluation.ranking.scored_masks import Contender, ensemble_of, scored
from nnunet_vit.evaluation.ranking.temperature import Calibration
from nnunet_vit.report.progress import Progress


@dataclass(frozen=True)
class Choice:
    """What cross-validation says.

    Attributes:
        ranked: all contenders, the best first; of equals single runs first.
        differences: the best minus each of the others, in their order; None: no value in common.
        left_out: what keeps runs out, by their names.
        without_ensembles: what keeps runs, or pairs of them, out of ensembles, likewise.
        postprocessing: that helps the best.
        calibration: of the best one's probabilities; None: it has kept none.
        nnunets_file: of the post-processing.
    """

    ranked: tuple[Contender, ...]
    differences: tuple[Difference | None, ...]
    left_out: Mapping[str, Fault]
    without_ensembles: Mapping[str, Fault]
    postprocessing: PostProcessing
    calibration: Calibration | None
    nnunets_file: Path

    @property
    def best(self) -> Contender:
        """The contender with the highest Dice."""
        return self.ranked[0]


def choose(
    results: Path,
    references: Path,
    demand: Demand,
    progress: Progress,
    *,
    wanted: Sequence[str] = (),
    ensembles: bool = True,
    patients: Mapping[str, str],
) -> Choice:
    """Rank a dataset's runs and pairs of them; find out what helps the best.

    Args:
        results: nnU-Net's folder of the dataset's models.
        references: true masks of all cases.
        demand: what a run must have.
        progress: where to show what happens.
        wanted: names or paths of the runs to consider; none: all.
        ensembles: whether to average pairs of runs.
        patients: of each case, whose differences are tested.

    Raises:
        ModelError: no run can be considered, or one that was named cannot.
        DataError: masks or probabilities are damaged.
    """
    runs, left_out = find_runs(results, demand)
    if wanted:
        runs = _named(runs, left_out, wanted, results=results)
        left_out = {}
    if not runs:
        raise ModelError(*_none(results, demand, left_out))
    lacking = _without_probabilities(runs)
    found = [scored([run], run.masks, references, progress) for run in runs]
    pairs, unlike = _pairs([run for run in runs if run.name not in lacking] if ensembles else [])
    found += [ensemble_of(pair, references, progress) for pair in pairs]
    # sorted keeps the order of equals: single runs come first
    ranked = sorted(found, key=lambda one: -one.dice)
    best = ranked[0]
    helps = determined(best.pairs, best.task, progress, absent=best.absent)
    able_to = not any(run.name in lacking for run in best.runs)
    return Choice(
        tuple(ranked),
        _differences(ranked, patients),
        left_out,
        {**lacking, **unlike},
        helps,
        calibrated(best, progress) if able_to else None,
        write_for_nnunet(helps.steps, helps.foreground, best.folder),
    )


def _named(
    runs: Sequence[Run], left_out: Mapping[str, Fault], wanted: Sequence[str], *, results: Path
) -> list[Run]:
    """Return the runs that were named, by their folder's name or path."""
    names = list(dict.fromkeys(Path(word).name for word in wanted))
    known = {name: run for run in runs for name in (run.name, run.path.name)}
    elsewhere = [word for word in wanted if _is_elsewhere(Path(word), results)]
    told = [f"{word}: no folder of a run in {results}" for word in elsewhere]
    told += [f"{name}: {_why(name, left_out)}" for name in names if name not in known]
    if told:
        there = ", ".join(run.name for run in runs) or "none"
        raise ModelError(
            f"Not among the runs that can be compared: {'; '.join(told)}. Those that can: {there}."
        )
    return list(dict.fromkeys(known[name] for name in names))


def _is_elsewhere(path: Path, results: Path) -> bool:
    """Tell whether it is a path, not a name, and not that of a folder in the results."""
    inside = path.is_dir() and path.resolve() == (results / path.name).resolve()
    return len(path.parts) > 1 and not inside


def _why(name: str, left_out: Mapping[str, Fault]) -> str:
    fault = left_out.get(name.removeprefix(OURS))
    return "no such run" if fault is None else f"{fault.problem.rstrip('.')}, fix: {fault.fix}"


def _none(results: Path, demand: Demand, left_out: Mapping[str, Fault]) -> tuple[str, str]:
    folds = " ".join(map(str, demand.cases))
    of = f" of {demand.configuration}" if demand.configuration else ""
    lines = [f"\n  {name}: {fault.problem}" for name, fault in left_out.items()]
    remedies = [fault.fix for fault in left_out.values() if fault.fix]
    if not left_out:
        return f"{results} has no run{of}.", f"`vit_cli runs {results.name}` lists what is there."
    others = "--folds with those that are validated" + "; or " * bool(remedies)
    return (
        f"{results} has no run{of} whose folds {folds} are all validated.{''.join(lines)}" + "\n",
        others + "; ".join(remedies[:1]) + ".",
    )


def _without_probabilities(runs: Sequence[Run]) -> dict[str, Fault]:
    found = {}
    for run in runs:
        folds = run.folds_without_probabilities()
        if folds:
            remedy = command_for(
                run.path, folds, ours="--continue --probabilities", nnunets="--val --npz"
            )
            which = f"fold{'s' * (len(folds) > 1)} {' '.join(map(str, folds))}"
            problem = f"the validation of {which} has kept no probabilities."
            found[run.name] = Fault(problem, remedy)
    return found


def _pairs(runs: Sequence[Run]) -> tuple[list[tuple[Run, Run]], dict[str, Fault]]:
    """Return the pairs that can predict the same images, and what keeps others from it."""
    found, unlike = [], {}
    for one, other in itertools.combinations(runs, 2):
        channels = [run.task.description.get("channel_names") for run in (one, other)]
        if channels[0] == channels[1]:
            found.append((one, other))
        else:
            told = " and ".join(map(str, channels))
            unlike[f"{one.name} + {other.name}"] = Fault(f"they have other channel_names: {told}.")
    return found, unlike


def _differences(
    ranked: Sequence[Contender], patients: Mapping[str, str]
) -> tuple[Difference | None, ...]:
    """Return the best minus each other, in the mean Dice of the classes, corrected together."""
    best, *others = ranked
    found = [_difference(best, other, patients) for other in others]
    known = iter(corrected([each for each in found if each is not None]))
    return tuple(None if each is None else next(known) for each in found)


def _difference(one: Contender, other: Contender, groups: Mapping[str, str]) -> Difference | None:
    both = (one, other)
    comparison = Comparison(
        [each.results() for each in both], [each.measurement for each in both], groups
    )
    (metric,) = comparison.metrics
    name = comparison.classes[-1]
    assert name == MEAN or len(comparison.classes) == 1
    first, second = (comparison.values(number, metric, name) for number in range(2))
    return difference_of(first, second, groups)
