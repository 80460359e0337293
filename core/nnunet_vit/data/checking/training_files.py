"""One look at every image and label of a raw dataset, before nnU-Net plans with them."""

from nnunet_vit.data.checking.examining import examine, examined_before
from nnunet_vit.data.checking.findings import Findings, findings_of
from nnunet_vit.data.checking.refusing import refuse_findings
from nnunet_vit.data.checks.case_look import Take
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.faults import refuse, sentence
from nnunet_vit.data.naming import listing_faults
from nnunet_vit.report.progress import Progress


def check_training_files(
    dataset: Dataset, vit_patch: int, progress: Progress, *, take: Take | None = None
) -> Findings:
    """Read every image and label of a raw dataset once and refuse all bad files together.

    What has not changed since an earlier check is not read again; its warnings are.

    Args:
        dataset: with its raw folder.
        vit_patch: edge of the ViT's patches in pixels; a smaller plane is refused.
        progress: where to show the cases and the warnings.
        take: is handed what is read of each sound case.

    Raises:
        DataError: files that are missing, cannot be read, or do not fit dataset.json or each
            other; no foreground anywhere; a plane smaller than one patch.
    """
    assert dataset.raw is not None
    if "dataset" in dataset.description:
        refuse(dataset.raw, listing_faults(dataset.raw, dataset.description))
    findings = findings_of(examine(dataset, progress, take=take), vit_patch)
    for warning in findings.warnings:
        progress.warn(sentence(warning))
    refuse_findings(dataset, findings)
    return findings


def repeat_warnings(dataset: Dataset, vit_patch: int, progress: Progress) -> None:
    """Show the warnings of a check whose files have not changed since; read none of them.

    Args:
        dataset: that is trained on as it was preprocessed; it may have no raw data.
        vit_patch: edge of the ViT's patches in pixels.
        progress: where to show them.
    """
    before = examined_before(dataset) if dataset.raw is not None else None
    if before is not None:
        for warning in findings_of(before, vit_patch).warnings:
            progress.warn(sentence(warning))
