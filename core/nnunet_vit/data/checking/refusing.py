"""All errors of a dataset in one answer: the first in words, all of them in a file."""

import contextlib
import tempfile
from pathlib import Path

from nnunet_vit.config.problems import escaped
from nnunet_vit.data.checking.findings import Findings
from nnunet_vit.data.checking.kept_looks import place_of
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.faults import MOST_SHOWN, Fault, refuse, sentence
from nnunet_vit.data.file_faults import SHOWN
from nnunet_vit.errors import MachineError, counted
from nnunet_vit.files.writing import write_text

SUFFIX = "_problems.txt"


def refuse_findings(dataset: Dataset, findings: Findings) -> None:
    """Raise one error for all that is wrong; do nothing where nothing is.

    Raises:
        DataError: it names a file with all problems where it does not show all itself.
    """
    errors, bad = findings.all_errors, {fault.file for fault in findings.files}
    if not errors:
        _forget(dataset.name)
        return
    where = f"{dataset.raw} has {counted(len(bad), 'bad file')}" if bad else str(dataset.raw)
    rest = _all_in_file(dataset, findings) if _is_shortened(findings, errors) else None
    refuse(where, errors, f"all of them, one file per line: {rest}" if rest else "")


def _is_shortened(findings: Findings, errors: list[Fault]) -> bool:
    alike = [(f.file.parent, f.problem, f.remedy) for f in findings.files]
    return len(errors) > MOST_SHOWN or any(alike.count(one) > SHOWN for one in set(alike))


def _all_in_file(dataset: Dataset, findings: Findings) -> Path | None:
    """Write all problems to a file and return it; None where no disk takes it."""
    lines = [sentence(error) for error in findings.errors]
    lines += [
        sentence(Fault(f"{fault.file} {fault.problem}.", f"{fault.remedy}." * bool(fault.remedy)))
        for fault in findings.files
    ]
    text = "\n".join([*map(escaped, lines), ""])
    usual, other = place_of(dataset.name, SUFFIX), Path(tempfile.gettempdir())
    for path in filter(None, (usual, other / f"{dataset.name}{SUFFIX}")):
        with contextlib.suppress(MachineError, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(text, path)
            return path
    return None


def _forget(name: str) -> None:
    path = place_of(name, SUFFIX)
    if path is not None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
