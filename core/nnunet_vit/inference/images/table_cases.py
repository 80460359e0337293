"""The cases of a table: a row per case, with its name and the files of its channels."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import DataError, counted
from nnunet_vit.inference.images.asked_cases import AskedCases, NamedFile
from nnunet_vit.inference.images.image_formats import Formats
from nnunet_vit.inference.images.list_cases import of_named, read_lines

CASE, FILE = "case", "file"
NUMBERED = "channel_"
DELIMITERS = (",", ";", "\t")
SEPARATOR_LINES = [[f"sep={each}"] for each in DELIMITERS]  # for Excel alone


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
    source, lines = f"-i {file}", read_lines(file)
    before = int(lines[:1] in SEPARATOR_LINES)
    head = "".join(lines[before : before + 1])
    delimiter = max(DELIMITERS, key=head.count)
    rows = _rows(file, lines[before:], delimiter)
    _, first = next(rows, (0, []))
    columns = [name.strip() for name in first]
    case, images = _columns(file, columns, channels)
    files, faults = [], []
    for number, row in rows:
        values = dict(zip(columns, map(str.strip, row), strict=False))
        if not any(map(str.strip, row)):
            continue
        place = f"line {number + before} of {file.name}"
        if any(map(str.strip, row[len(columns) :])):
            problem = f"{place}: {len(row)} values for {counted(len(columns), 'column')}."
            faults.append(Fault(problem, f'put values that hold "{delimiter}" in quotes.'))
            continue
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


def _rows(file: Path, lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each row's last line, and the row.

    Raises:
        DataError: a line is no row of a table.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(
            f"-i {file} is no table, in line {reader.line_num}: {error}.",
            fix='a row per line; is a quote (") left open before it?',
        ) from error


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
