"""Whether preprocessed data and plans still belong to the raw data, and what has to be done."""

from dataclasses import replace

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.begun import is_begun
from nnunet_vit.data.preprocessing.data_record import (
    REDO,
    Record,
    deciding,
    differing,
    essence,
    path_of,
    read_record,
)
from nnunet_vit.data.preprocessing.dataset_plans import check_configuration, plans_of
from nnunet_vit.data.preprocessing.decision import Work, miscounted
from nnunet_vit.data.preprocessing.meaning import described_otherwise
from nnunet_vit.data.preprocessing.preprocessed import (
    FINGERPRINT,
    DataFolder,
    cases_before,
    check_companions,
    described,
    normalized_otherwise,
    other_record,
    unrecorded_changes,
    unrecorded_differences,
    younger_images,
)
from nnunet_vit.data.preprocessing.raw_files import (
    Files,
    changes,
    files_by_case,
    renewed,
    states_of,
)
from nnunet_vit.data.preprocessing.refusals import Asked, refuse
from nnunet_vit.data.preprocessing.truth import (
    TRUTH,
    cases_with_other_truth,
    cases_with_truth,
    refuse_damaged_truth,
)
from nnunet_vit.errors import ConfigError, DataError, shortened
from nnunet_vit.files.json_file import JsonObject, read_json
from nnunet_vit.nnunet.plans_file import PLANS, read_plans

FLAT = "2d"
READER = "image_reader_writer"  # of the plans
STALE_PLANS = (
    f"{PLANS}.json was made from other raw data and nothing has been preprocessed with it: it is "
    "made again."
)


def decide(dataset: Dataset, configuration: str, asked: Asked) -> Work:
    """Return what has to be done; nothing is written.

    Raises:
        ConfigError: the plans have no such configuration, or it is not 2D.
        DataError: preprocessed data no longer belong to the raw data, cases have been added, or a
            file is damaged; says which and what to do.
    """
    path = dataset.preprocessed / f"{PLANS}.json"
    if dataset.raw is None:
        return _without_raw(dataset, configuration, asked)
    files = files_by_case(dataset)
    work = Work(files, sorted(files), notices=miscounted(dataset, len(files)))
    if asked.again:
        return _again(dataset, configuration, work, asked=asked)
    if not path.exists():
        if configuration != FLAT:
            raise ConfigError(
                f"data.configuration: '{configuration}' is none of a new dataset's; "
                f"allowed: {FLAT}."
            )
        work.plan = work.preprocess = True
        _compare_with_before(dataset, work)
        return work
    plans, own = plans_of(dataset, configuration)
    work.schemes = list(own["normalization_schemes"])
    data = DataFolder(dataset.preprocessed, own["data_identifier"])
    record = data.record()
    if record is not None:
        _by_record(dataset, work, data, record=record, plans=deciding(plans, own), asked=asked)
    else:
        _by_looking(dataset, work, data, plans=plans, own=own, asked=asked)
    if not work.plan:
        check_companions(dataset, not work.preprocess, plans.get(READER))
    return work


def _without_raw(dataset: Dataset, configuration: str, asked: Asked) -> Work:
    path = dataset.preprocessed / f"{PLANS}.json"
    missing = f"and there are no raw data of {dataset.name} to make it from."
    if asked.again or asked.update:
        flag = "--preprocess-again" if asked.again else "--update-data"
        raise DataError(f"{flag}: there are no raw data of {dataset.name}.")
    if not path.is_file():
        raise DataError(f"{path} is missing {missing}")
    plans, own = plans_of(dataset, configuration)
    data = DataFolder(dataset.preprocessed, own["data_identifier"])
    cases, record = data.cases(), data.record()
    known = cases_with_truth(dataset.preprocessed, dataset.description["file_ending"])
    known = known if record is None else set(record.cases) & known
    if not cases or cases != known or data.is_outdated():
        raise DataError(f"{data.path} is missing {missing}")
    check_companions(dataset, True, plans.get(READER))
    refuse_damaged_truth(dataset.preprocessed, cases, dataset.description["file_ending"])
    notices = miscounted(dataset, len(cases))
    return Work({}, sorted(cases), schemes=list(own["normalization_schemes"]), notices=notices)


def _again(dataset: Dataset, configuration: str, work: Work, *, asked: Asked) -> Work:
    if asked.resume:
        _refuse_other_data(dataset, work)
    path = dataset.preprocessed / f"{PLANS}.json"
    work.plan = work.preprocess = work.from_scratch = True
    try:
        check_configuration(read_plans(path), configuration)
    except DataError as error:  # what is damaged is made again
        if configuration != FLAT:
            raise ConfigError(
                f"data.configuration: from raw data nnU-Net plans '{FLAT}', not '{configuration}'."
            ) from error
    _compare_with_before(dataset, work)
    return work


def _refuse_other_data(dataset: Dataset, work: Work) -> None:
    """Refuse what would be refused after hours: to resume a training on other data."""
    record = other_record(dataset.preprocessed, "")
    if record is None:
        return
    found = _described_otherwise(dataset, record)
    found += changes(record.cases, work.files).changed
    if found:
        raise DataError(
            f"--continue: {dataset.name} is not what the training began with: {shortened(found)}.",
            fix="bring the raw data back, or start from scratch: --overwrite, not --continue.",
        )


def _compare_with_before(dataset: Dataset, work: Work) -> None:
    """Note which cases are new or gone where all are preprocessed again: the splits follow them."""
    known = cases_before(dataset.preprocessed, dataset.description["file_ending"])
    if known:
        work.added = sorted(case for case in work.files if not all(case in one for one in known))
        work.removed = sorted({case for one in known for case in one} - set(work.files))


def _by_record(
    dataset: Dataset,
    work: Work,
    data: DataFolder,
    *,
    record: Record,
    plans: JsonObject,
    asked: Asked,
) -> None:
    found = _described_otherwise(dataset, record)
    found += differing("nnUNetPlans.json", record.plans, plans)
    difference = changes(record.cases, work.files)
    refuse(dataset, found, difference, asked=asked, record=data.record_file)
    whole = data.cases() == set(record.cases)
    root, ending = dataset.preprocessed, dataset.description["file_ending"]
    truth = cases_with_truth(root, ending)
    work.added = difference.added
    work.truth = cases_with_other_truth(root, work.files, truth, ending=ending)
    if work.truth:
        work.notices.append(
            f"{TRUTH}: {shortened(work.truth)}: not as large as the label file, copied again."
        )
    if not whole or not set(record.cases) <= truth:
        work.preprocess = True
    elif difference.touched and not work.added:
        work.record = lambda: replace(record, cases=renewed(record.cases, work.files))


def _by_looking(
    dataset: Dataset,
    work: Work,
    data: DataFolder,
    *,
    plans: JsonObject,
    own: JsonObject,
    asked: Asked,
) -> None:
    other, cases = other_record(dataset.preprocessed, data.name), data.cases()
    if other is not None:  # of another configuration
        found = _described_otherwise(dataset, other)
        difference = changes(other.cases, work.files)
        refuse(dataset, found, difference, asked=asked, record=None)
        work.added = difference.added
    truth = cases_with_truth(dataset.preprocessed, dataset.description["file_ending"])
    unfinished = is_begun(data) or data.is_outdated()
    if unfinished or not cases or not cases <= truth or (other and cases != truth):
        work.preprocess = True
        if data.is_outdated() and other is None:
            _compare_with_before(dataset, work)
        if other is None and _plans_are_stale(dataset, work.files):
            work.plan, work.schemes = True, None
            work.notices.append(STALE_PLANS)
        return
    found = unrecorded_differences(dataset, own, plans.get(READER))
    difference = unrecorded_changes(dataset, work.files, cases)
    if cases != truth and not found and not difference.changed and not difference.removed:
        work.preprocess = True  # a killed run left fewer than nnU-Net had begun
        return
    refuse(dataset, found, difference, asked=asked, record=None)
    work.added = difference.added
    lines = (normalized_otherwise(dataset, own), younger_images(data, work.files, cases))
    work.notices += [line for line in lines if line]
    decisive, described_now = deciding(plans, own), essence(dataset.description)
    work.record = lambda: Record(
        described_now,
        decisive,
        states_of({case: work.files[case] for case in work.files if case in cases}),
    )


def _plans_are_stale(dataset: Dataset, files: Files) -> bool:
    """Tell whether plans that nothing has been preprocessed with are of other raw data."""
    record = read_record(path_of(dataset.preprocessed, PLANS))
    now = essence(dataset.description)
    if record is not None:
        found = changes(record.cases, files)
        different = found.added or found.removed or found.changed
        described_anew = described_otherwise("", record.description, now)
        return record.outdated or bool(described_anew or different)
    before = described(dataset.preprocessed)
    fingerprint = dataset.preprocessed / FINGERPRINT
    if before is None or not fingerprint.is_file():
        return True
    shapes = read_json(fingerprint, REDO)
    shapes = shapes.get("shapes_after_crop") if isinstance(shapes, dict) else None
    if described_otherwise("", essence(before), now):
        return True
    return not isinstance(shapes, list) or len(shapes) != len(files)


def _described_otherwise(dataset: Dataset, record: Record) -> list[str]:
    """Return what of dataset.json means something else than when data were preprocessed."""
    reader = record.plans.get(READER)
    return described_otherwise(
        "dataset.json", record.description, essence(dataset.description), reader=reader
    )
