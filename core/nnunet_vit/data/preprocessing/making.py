"""Do the work that preprocessed data need: plan, preprocess, add cases, write the record."""

import itertools
import shutil
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.folds.fold_rules import NO_RULES, FoldRules
from nnunet_vit.data.preprocessing.adding import add_cases
from nnunet_vit.data.preprocessing.begun import begin, end, forget_all
from nnunet_vit.data.preprocessing.data_record import (
    Record,
    deciding,
    essence,
    path_of,
    read_record,
    write_record,
)
from nnunet_vit.data.preprocessing.dataset_plans import plans_of
from nnunet_vit.data.preprocessing.decision import Work
from nnunet_vit.data.preprocessing.in_use import nobody_trains_on
from nnunet_vit.data.preprocessing.planning import plan, preprocess
from nnunet_vit.data.preprocessing.preprocess_cases import CaseMaker
from nnunet_vit.data.preprocessing.preprocessed import DataFolder, data_folders, other_record
from nnunet_vit.data.preprocessing.raw_files import CHANGED, STILL, States, are_still, states_of
from nnunet_vit.data.preprocessing.raw_view import description_of, shown_to_nnunet
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.data.preprocessing.split_update import updated_splits, write_splits
from nnunet_vit.data.preprocessing.truth import TRUTH, copy_again
from nnunet_vit.errors import DataError, counted, shortened
from nnunet_vit.files.json_file import JsonObject, write_json
from nnunet_vit.nnunet.plans_file import PLANS, read_plans
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress

KEPT = "plans_before_planning_{}.json"  # the plans that a planning has replaced
MUCH = 2e9  # bytes that take long enough to say so


def carry_out(
    dataset: Dataset,
    configuration: str,
    work: Work,
    *,
    progress: Progress,
    rules: FoldRules = NO_RULES,
    read: ReadCases | None = None,
) -> JsonObject:
    """Do what `decide` found and return the dataset's plans; splits that are there follow.

    Args:
        dataset: to prepare.
        configuration: of its plans.
        work: what is to be done.
        progress: where to show what happens.
        rules: what the folds have to keep to.
        read: what the check has just read of the cases; None: they are read.

    Raises:
        DataError: nnU-Net finds the dataset unfit, or raw files change meanwhile.
        MachineError: data would change that are trained on.
    """
    read = read or ReadCases(work.files, fingerprints=False, room=0)
    with _without_trainings(dataset, work):
        splits = updated_splits(dataset, work.cases, work.added, removed=work.removed, rules=rules)
        if work.from_scratch:
            forget_all(dataset.preprocessed)
        _say_reading(work, progress)
        states = states_of(work.files) if work.plan or work.preprocess else {}
        if work.plan:
            progress.log(f"Planning {dataset.name}: its fingerprint and nnU-Net's plans …")
            _plan(dataset, work, states, read=read, progress=progress)
        plans, own = plans_of(dataset, configuration)
        data = DataFolder(dataset.preprocessed, own["data_identifier"])
        ending = dataset.description["file_ending"]
        copy_again(dataset.preprocessed, work.files, work.truth, ending=ending)
        if splits is not None and work.preprocess:  # a kill from here on loses what was there
            progress.log(write_splits(dataset, splits, rules))
            splits = None
        if work.preprocess:
            progress.log(f"Preprocessing {counted(len(work.files), 'case')} of {dataset.name} …")
            record = _record(dataset, plans, own, states=states)
            description = description_of(dataset, len(work.files))
            maker = CaseMaker(plans, configuration, description, data)
            _preprocess(dataset, maker, record, work=work, read=read, progress=progress)
            write_json(description, dataset.preprocessed / "dataset.json")
            write_record(data.record_file, record)
            end(data)
        elif work.record is not None or work.added:
            _add_and_record(dataset, configuration, data, work=work, read=read, progress=progress)
        if splits is not None:
            progress.log(write_splits(dataset, splits, rules))
    return plans


def _without_trainings(dataset: Dataset, work: Work) -> AbstractContextManager[None]:
    """Return a lock that keeps trainings away where the work changes what is there."""
    there = any(dataset.preprocessed.glob("*/*.pkl"))
    if there and (work.plan or work.preprocess or work.added or work.removed):
        return nobody_trains_on(dataset.preprocessed)
    return nullcontext()


def _say_reading(work: Work, progress: Progress) -> None:
    if work.plan or work.preprocess or work.record is not None:
        files = [path for paths in work.files.values() for path in paths]
        size = sum(path.stat().st_size for path in files if path.is_file())
        if size > MUCH:
            progress.log(
                f"Reading {len(files)} raw files, {bytes_text(size)}, once: later runs see by it "
                "whether they have changed …"
            )


def _record(dataset: Dataset, plans: JsonObject, own: JsonObject, *, states: States) -> Record:
    return Record(essence(dataset.description), deciding(plans, own), states)


def _plan(
    dataset: Dataset, work: Work, states: States, *, read: ReadCases, progress: Progress
) -> None:
    """Let nnU-Net plan; until that has succeeded, what is there counts as outdated."""
    path = dataset.preprocessed / f"{PLANS}.json"
    own_record = path_of(dataset.preprocessed, PLANS)
    record = Record(essence(dataset.description), {}, states)
    kept = _kept_plans(path)
    write_record(own_record, replace(record, outdated=True))
    try:
        for data in data_folders(dataset.preprocessed, read_plans(path)):
            _outdate(data)
    except DataError:  # there are none, or nnU-Net, which reads them, would stumble
        path.unlink(missing_ok=True)
    with shown_to_nnunet(dataset, work.files):
        plan(dataset, work.files, states, read=read, progress=progress)
    _require_still(work, states)
    write_record(own_record, record)
    if kept is not None and kept.read_bytes() == path.read_bytes():
        kept.unlink()
    elif kept is not None:
        progress.log(f"{path.name} has been changed, {kept.name} is the one before.")


def _kept_plans(path: Path) -> Path | None:
    """Copy the plans, which somebody may have edited; return the copy, or None without plans.

    A copy that an interrupted planning has left is taken again.
    """
    if not path.is_file():
        return None
    for old in path.parent.glob(KEPT.format("*")):
        if old.read_bytes() == path.read_bytes():
            return old
    names = (path.with_name(KEPT.format(number)) for number in itertools.count(1))
    kept = next(name for name in names if not name.exists())
    return Path(shutil.copyfile(path, kept))


def _outdate(data: DataFolder) -> None:
    try:
        before = read_record(data.record_file)
    except DataError:
        before = None
    # its cases say, if this process is killed, which ones the splits do not know yet
    write_record(data.record_file, replace(before or Record({}, {}, {}), outdated=True))


def _preprocess(
    dataset: Dataset,
    maker: CaseMaker,
    record: Record,
    *,
    work: Work,
    read: ReadCases,
    progress: Progress,
) -> None:
    data, files = maker.target, work.files
    if data.path.is_dir():
        _outdate(data)
    if other_record(dataset.preprocessed, data.name) is None:
        shutil.rmtree(dataset.preprocessed / TRUTH, ignore_errors=True)
    there = begin(data, record, files)
    if there:
        progress.log(f"{counted(len(there), 'case')} of an earlier start stay.")
    left = [case for case in files if case not in there]
    preprocess(maker, files, left, states=record.cases, read=read, progress=progress)
    _require_still(work, record.cases)
    missing = sorted(set(files) - data.cases())
    if missing:
        raise DataError(f"nnU-Net has not preprocessed all cases: {shortened(missing)}.")
    copy_again(dataset.preprocessed, files, files, ending=dataset.description["file_ending"])
    _require_still(work, record.cases)  # the copies too are of these files


def _require_still(work: Work, states: States) -> None:
    if not are_still(states, work.files):
        raise DataError(CHANGED, STILL)


def _add_and_record(
    dataset: Dataset,
    configuration: str,
    data: DataFolder,
    *,
    work: Work,
    read: ReadCases,
    progress: Progress,
) -> None:
    plans, own = plans_of(dataset, configuration)
    record = data.record() if work.record is None else work.record()
    assert record is not None  # work.added without one comes with one
    if work.added:
        progress.log(f"Preprocessing {len(work.added)} new cases of {dataset.name} …")
        new = states_of({case: work.files[case] for case in work.added})
        add_cases(dataset, configuration, plans, own=own, new=new, files=work.files, read=read,
                  progress=progress)  # fmt: skip
        record = replace(record, cases={**record.cases, **new})
    write_record(data.record_file, record)
