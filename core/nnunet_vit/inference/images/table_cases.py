"""The cases of a table: a row per case, with its name and the files of its channels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_vit.data.faults import Fault
from nnunet_vit.data.table_rows import read_table
from nnunet_vit.errors import DataError
from nnunet_vit.inference.images.asked_cases import AskedCases, NamedFile
from nnunet_vit.inference.images.image_formats import Formats
from nnunet_vit.inference.images.list_cases import of_named

CASE, FILE = "case", "file"
NUMBERED = "channel_"


def cases_of_table(file: Path, formats: Formats, channels: Sequence[str]) -> AskedCases:
    """Return the cases of a table; paths in it are relative to its folder.

    Args:
        file: with the columns case and file, or case and one column per channel, by its name or as
            channel_0000, channel_0001 and so on; other columns do not count.
        formats: which files the model takes.
        channels: of the model, by name.

    Raises:
        DataError: it cannot be read, lacks a column or a value, or names a case twice.
    """
    source = f"-i {file}"
    table = read_table(file, source)
    case, images = _columns(file, table.columns, channels)
    files, faults = [], list(table.faults)
    for place, values in table.rows:
        lacking = [name for name in (case, *images) if not values.get(name)]
        if lacking:
            faults.append(Fault(f"{place}: no value for {' and '.join(lacking)}."))
            continue
        several = len(images) > 1
        files += [
            NamedFile(values[case], f"{n:04}" * several, file.parent / values[name], place)
            for n, name in enumerate(images)
        ]
    if not files and not faults:
        raise DataError(f"{source} has no row.", fix="a row per case.")
    return of_named(source, files, faults)


def _columns(file: Path, columns: Sequence[str], channels: Sequence[str]) -> tuple[str, list[str]]:
    """Return the column of the names, and those of the files in the order of the channels.

    Raises:
        DataError: they are not there, or more than one choice is.
    """
    known: Mapping[str, str] = {name.lower(): name for name in columns}
    named = [known[name.lower()] for name in channels if name.lower() in known]
    numbered = sorted(filter(_number, columns), key=_number)
    single = [known[FILE]] if FILE in known else []
    by_name = named if len(set(named)) == len(channels) else []
    choices = [found for found in (by_name, numbered, single) if found]
    if CASE in known and len(choices) == 1:
        _refuse_doubles(file, columns, [known[CASE], *choices[0]])
        return known[CASE], choices[0]
    names = ", ".join(dict.fromkeys(channels))
    told = f"several of them: {', '.join(columns)}" if len(choices) > 1 else ", ".join(columns)
    raise DataError(
        f"-i {file}: needed: the column case, and either file, or one per channel of the model "
        f"({names}), or {NUMBERED}0000, {NUMBERED}0001 and so on; found: {told or 'nothing'}.",
        fix="the first line names the columns, as in case,file",
    )


def _number(column: str) -> str:
    """Return what columns of channels are sorted by, channel_2 before channel_10; others: ''."""
    digits = column[len(NUMBERED) :] if column.lower().startswith(NUMBERED) else ""
    return f"{int(digits):09}" if digits.isdecimal() else ""


def _refuse_doubles(file: Path, columns: Sequence[str], used: Sequence[str]) -> None:
    """Refuse columns that mean the same: one of them would count, unsaid.

    Raises:
        DataError: there are some.
    """
    wanted = {_number(name) or name.lower() for name in used}
    means = [meant for name in columns if (meant := _number(name) or name.lower()) in wanted]
    if len(means) > len(wanted):
        raise DataError(
            f"-i {file}: a column is there twice: {', '.join(columns)}.",
            fix="one column per channel.",
        )
