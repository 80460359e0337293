"""A choice as lines for people: the ranking, what may be noise, and what helps the best."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import counted
from nnunet_vit.evaluation.comparing.paired_statistics import Difference, can_be_shown
from nnunet_vit.evaluation.ranking.choose import Choice
from nnunet_vit.evaluation.ranking.comparable_runs import Run
from nnunet_vit.evaluation.ranking.scored_masks import Contender
from nnunet_vit.quantities import decimal_text
from nnunet_vit.report.letters import letter
from nnunet_vit.report.text_width import WIDTH

RULE = (
    "Dice: mean over classes of the means over cases, as nnU-Net ranks. In brackets: the best "
    "minus this one, mean of patients with its 95 % interval and p with Holm's correction, as "
    "`vit_cli compare` tests. The best of several is chosen on these cases: its Dice flatters it."
)


def choice_text(choice: Choice) -> str:
    """Return the choice."""
    runs = _runs(choice.ranked)
    folds = " ".join(map(str, next(iter(runs)).cases))
    cases = counted(len(choice.best.pairs), "case")
    lines = [*_left_out("Left out", choice.left_out)]
    lines += _left_out("In no ensemble", choice.without_ensembles)
    lines += [f"Folds {folds}, {cases}:"]
    lines += [f"  {name}  {run.name}" for run, name in runs.items()]
    lines += _ranking(choice, runs)
    if choice.best.absent:
        lines += _wrapped(
            f"In no reference, and not in these Dice: {', '.join(choice.best.absent)}."
        )
    lines += _wrapped(RULE)
    lines += [f"Best: {choice.best.name}", *_wrapped(_verdict(choice, runs))]
    lines += _wrapped(choice.postprocessing.as_text())
    lines += _wrapped(_calibration(choice))
    return "\n".join(lines)


def _runs(ranked: Sequence[Contender]) -> dict[Run, str]:
    """Return the letter of each run, in the order of their names."""
    runs = {run.path: run for contender in ranked for run in contender.runs}
    return {runs[path]: letter(number) for number, path in enumerate(sorted(runs))}


def _called(contender: Contender, runs: Mapping[Run, str]) -> str:
    return "+".join(runs[run] for run in contender.runs)


def _ranking(choice: Choice, runs: Mapping[Run, str]) -> Iterator[str]:
    width = max(len(_called(contender, runs)) for contender in choice.ranked)
    for number, contender in enumerate(choice.ranked):
        line = f"{number + 1:>3}. {_called(contender, runs):<{width}}  Dice {contender.dice:.4f}"
        yield line + (f"  {_compared(choice.differences[number - 1])}" if number else "")


def _compared(difference: Difference | None) -> str:
    if difference is None:
        return "(no case has a value)"
    mean = decimal_text(difference.mean, 4, signed=True)
    found = f"{mean}, {difference.interval_text(4)}"
    verdict = "worse" if _is_worse(difference) else "may be noise"
    return f"({found}, p {difference.p_holm:.2g}) {verdict}"


def _is_worse(difference: Difference | None) -> bool:
    return difference is not None and difference.is_shown and difference.mean > 0


def _verdict(choice: Choice, runs: Mapping[Run, str]) -> str:
    if not choice.differences:
        return "It is the only contender."
    patients = min((one.patients for one in choice.differences if one is not None), default=0)
    if not can_be_shown(patients, len(choice.differences)):
        return (
            f"{counted(patients, 'patient')}: too few for any difference between "
            f"{len(choice.ranked)} contenders to be more than noise, however large."
        )
    equal = [
        _called(contender, runs)
        for contender, difference in zip(choice.ranked[1:], choice.differences, strict=True)
        if not _is_worse(difference)
    ]
    if not equal:
        return "It is better than all others by more than noise."
    single = [name for name in equal if "+" not in name]
    several = len(choice.best.runs) > 1
    cheaper = f" {single[0]} alone predicts in less time." if single and several else ""
    return f"These may be as good; the difference may be noise: {', '.join(equal)}.{cheaper}"


def _calibration(choice: Choice) -> str:
    if choice.calibration is not None:
        return choice.calibration.as_text()
    return (
        "Temperature: none, as the best run's validations have kept no probabilities. The commands "
        "above validate again and keep them; then run `vit_cli best` again."
    )


def _left_out(what: str, faults: Mapping[str, Fault]) -> Iterator[str]:
    for name, fault in faults.items():
        yield from _wrapped(f"{what}: {name}: {fault.problem}")
        if fault.fix:
            yield f"    {fault.fix}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
