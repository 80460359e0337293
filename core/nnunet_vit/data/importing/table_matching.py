"""Cases of a table: a row per case, with its files, its group and whether it is for the test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.importing.source_cases import Part, SourceCase, SourceCases, class_faults
from nnunet_vit.data.table_rows import Table, read_table
from nnunet_vit.errors import DataError

CASE, IMAGE, MASK, GROUP, SPLIT = "case", "image", "mask", "group", "split"
CHANNEL, OF_CLASS = "channel_", "mask_"  # what names of columns begin with
PARTS: dict[str, Part] = {"": "Tr", "train": "Tr", "training": "Tr", "test": "Ts"}
FORM = (
    "the first line names the columns: case, image (or channel_0000, channel_0001 or "
    "channel_NAME), mask (or mask_NAME per class), and where wanted group and split"
)


@dataclass(frozen=True)
class Columns:
    """The columns of a table.

    Attributes:
        images: one, or one per channel in order.
        masks: by class, or one with the name ''; values are names of columns.
    """

    images: tuple[str, ...]
    masks: Mapping[str, str]

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels where columns name them."""
        names = tuple(column[len(CHANNEL) :] for column in self.images if column != IMAGE)
        return () if all(name.isdecimal() for name in names) else names


def cases_of_table(file: Path, missing_is_empty: bool) -> SourceCases:
    """Return the cases of a table; paths in it are relative to its folder.

    Args:
        file: a table.
        missing_is_empty: whether no value in a column of a class means that nothing of it is there.

    Raises:
        DataError: it cannot be read, lacks columns or values, or names files that are not there.
    """
    given = f"--table {file}"
    table = read_table(file, given)
    columns = _columns(table, given)
    cases, faults = [], list(table.faults)
    for place, values in table.rows:
        split = values.get(SPLIT, "").lower()
        masks = {
            name: file.parent / values[column]
            for name, column in columns.masks.items()
            if values.get(column)
        }
        part = PARTS.get(split, "Tr")
        faults += _row_faults(place, values, columns, missing=missing_is_empty)
        images = tuple(file.parent / values[c] for c in columns.images if values.get(c))
        faults += [
            Fault(f"{place}: {path} is not there.")
            for path in (*images, *masks.values())
            if not path.exists()
        ]
        cases.append(
            SourceCase(values.get(CASE, ""), images, masks, part, values.get(GROUP, ""), place)
        )
    if not cases and not faults:
        raise DataError(f"{given} has no row.", fix="a row per case.")
    classes = tuple(name for name in columns.masks if name)
    refuse(given, [*class_faults(classes, cases), *faults])
    ordered = tuple(sorted(cases, key=lambda case: (case.part, case.name)))
    return SourceCases(given, ordered, classes, columns.channels)


def _columns(table: Table, given: str) -> Columns:
    """Return the columns of files.

    Raises:
        DataError: some are missing, there twice, or say the same in two ways.
    """
    names = table.columns
    numbered = [name for name in names if name.startswith(CHANNEL) and name != CHANNEL]
    if all(name[len(CHANNEL) :].isdecimal() for name in numbered):
        numbered = sorted(numbered, key=lambda name: int(name[len(CHANNEL) :]))
    single = [IMAGE] if IMAGE in names else []
    masks = {name[len(OF_CLASS) :]: name for name in names if name.startswith(OF_CLASS)}
    whole = {"": MASK} if MASK in names else {}
    problem = ""
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        problem = f"a column is there twice: {', '.join(doubled)}"
    elif CASE not in names or bool(numbered) == bool(single) or bool(masks) == bool(whole):
        problem = f"found: {', '.join(names) or 'nothing'}"
    if problem:
        raise DataError(f"{given}: {problem}.", fix=FORM)
    return Columns(tuple(numbered or single), masks or whole)


def _row_faults(
    place: str, values: Mapping[str, str], columns: Columns, *, missing: bool
) -> Sequence[Fault]:
    """Return the values that a row lacks, and a split that is none."""
    split = values.get(SPLIT, "").lower()
    if split not in PARTS:
        return [Fault(f"{place}: split is {values[SPLIT]!r}.", "train or test.")]
    needed = [CASE, *columns.images]
    filled = [column for column in columns.masks.values() if values.get(column)]
    is_test = PARTS[split] == "Ts"
    if not (is_test and not filled) and not (missing and "" not in columns.masks):
        needed += columns.masks.values()
    lacking = [name for name in needed if not values.get(name)]
    if not lacking:
        return []
    of_class = any(name.startswith(OF_CLASS) for name in lacking)
    remedy = "--missing-is-empty where an empty mask means that nothing is there."
    return [Fault(f"{place}: no value for {' and '.join(lacking)}.", remedy if of_class else "")]
