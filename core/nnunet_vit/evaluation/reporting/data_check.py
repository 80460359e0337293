"""What `vit_cli check-data` is asked for, in its order: the copy, the check, the page."""

from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.config.load import load_run
from nnunet_vit.config.models import PathsConfig
from nnunet_vit.data.checking.check_dataset import Checked, check_dataset
from nnunet_vit.data.checking.repairing import LIST, Change, place_of_copy, repair
from nnunet_vit.data.dataset import raw_dataset
from nnunet_vit.data.faults import sentence
from nnunet_vit.errors import counted
from nnunet_vit.evaluation.reporting.data_page import check_page, write_data_page
from nnunet_vit.nnunet.folders import use_folders, use_processors
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress

SHOWN = 20  # changes of a repaired copy; the list in it has all


@dataclass(frozen=True)
class DataCheck:
    """What a person asks for.

    Attributes:
        dataset: id, name or folder.
        page: to write; None: no page.
        copy: to write with what can be repaired; None: no copy.
        config: a run file whose paths count.
    """

    dataset: str
    page: Path | None = None
    copy: str | None = None
    config: Path | None = None


def check_data_of(asked: DataCheck, progress: Progress) -> Checked:
    """Check a dataset, or the repaired copy of it, and say what is found.

    Raises:
        ConfigError: an option cannot be.
        DataError: there is no such dataset.
        MachineError: the page or the copy cannot be written.
    """
    if asked.page is not None:
        check_page(asked.page)
    paths = PathsConfig() if asked.config is None else load_run(asked.config).paths
    use_folders(paths, needed=() if Path(asked.dataset).is_dir() else ("raw", "preprocessed"))
    use_processors()
    wanted = asked.dataset
    if asked.copy is not None:
        wanted = _repaired(asked.dataset, asked.copy, progress) or wanted
    checked = check_dataset(wanted, progress)
    progress.log(checked.as_text())
    for warning in checked.findings.warnings:
        progress.warn(sentence(warning))
    if asked.page is not None:
        size = write_data_page(checked, asked.page, wanted, progress=progress)
        progress.log(f"Page: {asked.page} ({bytes_text(size)})")
    return checked


def _repaired(wanted: str, new: str, progress: Progress) -> str:
    """Write the repaired copy and return its folder; an empty text where there is none."""
    dataset = raw_dataset(wanted)
    path = place_of_copy(new, dataset)
    changes = repair(dataset, path, progress)
    if not changes:
        progress.log(f"Nothing can be repaired in one way alone: {path} was not written.")
        return ""
    progress.log(f"{path}: {counted(len(changes), 'file')} repaired, all listed in its {LIST}:")
    for change in changes[:SHOWN]:
        progress.log(f"  {_words(change)}")
    if len(changes) > SHOWN:
        progress.log(f"  and {len(changes) - SHOWN} more")
    return str(path)


def _words(change: Change) -> str:
    now = "" if change.now == change.file else f" is now {change.now}"
    return f"{change.file}{now}: {change.done}"
