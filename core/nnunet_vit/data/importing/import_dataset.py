"""Write a dataset in nnU-Net's format, whole or not at all."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from nnunet_vit.config.name_rules import DATASET, DATASET_WORDS
from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.dataset import number_of
from nnunet_vit.data.importing.case_facts import CaseFacts
from nnunet_vit.data.importing.import_plan import ImportPlan
from nnunet_vit.data.importing.reading.any_pixels import Reading
from nnunet_vit.data.importing.written_case import CaseWriter
from nnunet_vit.errors import ConfigError, DataError, MachineError, counted
from nnunet_vit.files.csv_table import write_table
from nnunet_vit.files.json_file import JsonObject, write_json
from nnunet_vit.files.scratch import scratch_in
from nnunet_vit.files.writable import check_writable
from nnunet_vit.report.progress import Progress

STAGED = ".import_dataset_"  # nnU-Net looks for names that start with "Dataset"
RECORD, GROUPS = "import.json", "groups.csv"


def place_of(wanted: str) -> Path:
    """Return the folder of a new dataset: a path, or a name in nnU-Net's raw folder.

    Raises:
        ConfigError: it is no dataset's name, or nnUNet_raw is not set.
        DataError: it is there already, or its number is another dataset's.
        MachineError: it cannot be written.
    """
    name = Path(wanted).name
    if DATASET.fullmatch(name) is None:
        raise ConfigError(f"'{wanted}' is no name of a dataset.", fix=f"{DATASET_WORDS}.")
    place = Path(wanted)
    if wanted == name:
        raw = os.environ.get("nnUNet_raw")
        if not raw:
            raise ConfigError(
                f"{wanted}: where to? nnUNet_raw is not set.",
                fix=f"set it, or give the path: FOLDER/{wanted}.",
            )
        place = Path(raw) / name
    if os.path.lexists(place) and not (place.is_dir() and not any(place.iterdir())):
        raise DataError(f"{place} is there already.", fix="another name, or remove it.")
    if place.parent.is_dir():
        others = [path.name for path in place.parent.iterdir() if DATASET.fullmatch(path.name)]
        same = [other for other in others if number_of(other) == number_of(name) and other != name]
        if same:
            raise DataError(
                f"{place}: its number is that of {', '.join(sorted(same))}.", fix="another number."
            )
    check_writable(place.parent, str(place))
    return place


def write_dataset(
    plan: ImportPlan, reading: Reading, place: Path, *, link: bool, progress: Progress
) -> None:
    """Write the dataset in a folder beside its place, which it takes when it is whole.

    Args:
        plan: what to write.
        reading: what files do not say themselves.
        place: of the dataset, free or an empty folder.
        link: whether files that stay what they are are linked instead of copied.
        progress: where to show the cases.

    Raises:
        DataError: a file was changed meanwhile.
        MachineError: the disk refuses; nothing is left.
    """
    new = [folder for folder in place.parents if not folder.exists()]
    writer = CaseWriter(reading, plan.target, plan.rule, link)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with _removed_on_error(new), scratch_in(place.parent, STAGED) as scratch:
            staged = scratch / place.name
            for case in plan.cases:
                (staged / f"images{case.case.part}").mkdir(parents=True, exist_ok=True)
                if case.case.masks:
                    (staged / f"labels{case.case.part}").mkdir(exist_ok=True)
            progress.start_cases(f"Writing {place.name}", len(plan.cases))
            write = partial(_written, progress, partial(writer.write, dataset=staged))
            records = in_threads(write, plan.cases)
            progress.close()
            _write_texts(plan, records, staged)
            if place.is_dir():
                place.rmdir()
            staged.rename(place)
    except OSError as error:
        raise MachineError(
            f"{place} cannot be written: {error.strerror or error}.",
            fix="make room, or another folder; without --link where links are not allowed.",
        ) from error


@contextlib.contextmanager
def _removed_on_error(folders: Sequence[Path]) -> Iterator[None]:
    """Remove folders that were made, inner ones first, where the work in them does not end well."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # somebody else's files are in them by now
            for folder in folders:
                folder.rmdir()
        raise


def _written(
    progress: Progress, write: Callable[[CaseFacts], JsonObject], facts: CaseFacts
) -> JsonObject:
    record = write(facts)
    progress.case(facts.case.name)
    return record


def _write_texts(plan: ImportPlan, records: list[JsonObject], staged: Path) -> None:
    """Write dataset.json, the record of the import and, where there are any, the groups."""
    write_json(plan.description(), staged / "dataset.json")
    cases = {case.case.name: record for case, record in zip(plan.cases, records, strict=True)}
    content = {
        "from": plan.given,
        "images": plan.target.as_text(),
        "masks": plan.rule.as_text(),
        "notices": list(plan.notices),
        "cases": cases,
    }
    write_json(content, staged / RECORD)
    groups = [(each.case.name, each.case.group) for each in plan.training if each.case.group]
    if groups:
        write_table(("case", "group"), groups, staged / GROUPS)


def plan_text(plan: ImportPlan) -> str:
    """Return what an import does in a few lines."""
    test = len(plan.cases) - len(plan.training)
    groups = {case.case.group for case in plan.training if case.case.group}
    done: dict[str, int] = {}
    for case in plan.cases:
        for text in (text for image in case.images for text in image.done):
            done[text] = done.get(text, 0) + 1
    lines = [
        f"{counted(len(plan.training), 'training case')}"
        + (f", {counted(test, 'test case')}" if test else "")
        + (f", {counted(len(groups), 'group')}" if groups else ""),
        f"Images: {plan.target.as_text()}; channels: {', '.join(dict.fromkeys(plan.channels))}",
        *(f"  {counted(number, 'image')}: {text}" for text, number in done.items()),
        f"Masks: {plan.rule.as_text()}",
        *_region_lines(plan),
        *plan.notices,
    ]
    return "\n".join(lines)


def _region_lines(plan: ImportPlan) -> Iterator[str]:
    """Yield the numbers of each region, where masks overlap."""
    for name, numbers in plan.rule.labels.items():
        if isinstance(numbers, list):
            yield f"  region {name}: {', '.join(map(str, numbers))}"
