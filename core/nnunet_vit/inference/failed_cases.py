"""Cases without a mask: the others are predicted, and these are listed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_vit.config.problems import escaped
from nnunet_vit.data.faults import MOST_SHOWN
from nnunet_vit.errors import PartialError, UserError, counted
from nnunet_vit.files.json_file import write_json

FAILURES = "failures.json"


def tell_failures(
    failures: Mapping[str, UserError], images: Mapping[str, Sequence[Path]], masks: Path
) -> None:
    """Write failures.json and say which cases have no mask; where all have one, remove it.

    Args:
        failures: what was wrong, by case.
        images: the files of all cases.
        masks: the folder of masks.

    Raises:
        PartialError: some cases failed.
        UserError: all did; the error of the first.
    """
    file = masks / FAILURES
    if not failures:
        file.unlink(missing_ok=True)
        return
    content = {
        case: {
            "files": [str(image) for image in images[case]],
            "problem": error.problem,
            "fix": error.fix,
        }
        for case, error in failures.items()
    }
    write_json(content, file)
    lines = [f"  {escaped(case)}: {failures[case]}" for case in _varied(failures)[:MOST_SHOWN]]
    if len(failures) > MOST_SHOWN:
        lines.append(f"  and {len(failures) - MOST_SHOWN} more, in {file}")
    cases, written = counted(len(images), "case"), len(images) - len(failures)
    if not written:
        first = next(iter(failures.values()))
        raise type(first)("\n".join([f"None of {cases} has a mask:", *lines]))
    have = "has" if written == 1 else "have"
    head = f"{written} of {cases} {have} a mask in {masks}; {FAILURES} there lists the others:"
    raise PartialError(
        "\n".join([head, *lines]),
        fix="repair these images, then the same command with --continue.",
    )


def _varied(failures: Mapping[str, UserError]) -> list[str]:
    """Return the cases in such an order that the first few show every kind of failure."""
    if len(failures) <= MOST_SHOWN:
        return list(failures)
    before, places = Counter[str](), {}
    for case, error in failures.items():
        places[case] = before[error.fix]
        before[error.fix] += 1
    return sorted(failures, key=lambda case: places[case])
