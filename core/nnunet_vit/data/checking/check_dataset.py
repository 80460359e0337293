"""The check of a dataset that a person asks for: names, files and numbers in one answer."""

import os
from dataclasses import dataclass, replace

from nnunet_vit.data.checking.examining import Examined, examine
from nnunet_vit.data.checking.findings import Findings, findings_of
from nnunet_vit.data.checking.refusing import refuse_findings
from nnunet_vit.data.checking.summary import summary_of
from nnunet_vit.data.dataset import Dataset, name_faults, raw_dataset
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.naming import listing_faults
from nnunet_vit.data.preprocessing.decision import miscounted
from nnunet_vit.data.splits import USUAL_FOLDS
from nnunet_vit.errors import counted
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.progress import Progress

SCHEMA = 1  # of what programs read


@dataclass(frozen=True)
class Checked:
    """A dataset that has been checked, with what was found."""

    examined: Examined
    findings: Findings

    @property
    def dataset(self) -> Dataset:
        """The dataset."""
        return self.examined.dataset

    def refuse(self) -> None:
        """Raise one error for all that is wrong; do nothing where nothing is.

        Raises:
            DataError: it names a file with all problems where it does not show all itself.
        """
        refuse_findings(self.dataset, self.findings)

    def as_text(self) -> str:
        """Return what the dataset is made of, in lines."""
        return f"{self.dataset.name}: {summary_of(self.examined).as_text()}"

    def as_json(self) -> JsonObject:
        """Return all of it for programs: each bad file has an entry of its own."""
        errors = [{"file": "", "problem": e.problem, "fix": e.fix} for e in self.findings.errors]
        errors += [
            {"file": str(fault.file), "problem": fault.problem, "fix": fault.remedy}
            for fault in self.findings.files
        ]
        return {
            "schema": SCHEMA,
            "dataset": self.dataset.name,
            "folder": str(self.dataset.raw),
            "sound": not errors,
            "errors": errors,
            "warnings": [{"problem": w.problem, "fix": w.fix} for w in self.findings.warnings],
            **summary_of(self.examined).as_json(),
        }


def check_dataset(wanted: str, progress: Progress) -> Checked:
    """Look at all of a raw dataset and return what is found; nothing of it is changed.

    Args:
        wanted: an id, a name or a folder.
        progress: where to show the cases.

    Raises:
        DataError: there is no such dataset, or its dataset.json is wrong.
    """
    dataset = raw_dataset(wanted)
    assert dataset.raw is not None
    named = name_faults(dataset.raw, dataset.description)
    if "dataset" in dataset.description:
        named += listing_faults(dataset.raw, dataset.description)
    try:
        examined = examine(dataset, progress)
    except OSError:  # no imagesTr, or none that can be read: the names' faults say it
        examined = Examined(dataset, {}, {}, {}, read=0)
    findings = findings_of(examined) if examined.cases else Findings((), (), ())
    if not named:
        return Checked(examined, _with_numbers(examined, findings))
    # what is not there is among the names
    there = tuple(fault for fault in findings.files if os.path.lexists(fault.file))
    errors = (*named, *findings.errors)
    return Checked(examined, Findings(there, errors, findings.warnings))


def _with_numbers(examined: Examined, findings: Findings) -> Findings:
    """Add what a training says where it begins: too few cases for folds, a wrong count."""
    count = len(examined.cases)
    said = [Fault(line) for line in miscounted(examined.dataset, count)]
    if count < USUAL_FOLDS:
        problem = f"{counted(count, 'case')}: nnU-Net's {USUAL_FOLDS} folds need {USUAL_FOLDS}."
        said.append(
            Fault(problem, "data.fold: all trains on all of them, without a validation of its own.")
        )
    return replace(findings, warnings=(*said, *findings.warnings))
