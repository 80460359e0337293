"""Rows of a table that somebody wrote: CSV with commas, semicolons or tabs."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import DataError, counted

DELIMITERS = (",", ";", "\t")
SEPARATOR_LINES = [[f"sep={each}"] for each in DELIMITERS]  # for Excel alone


@dataclass(frozen=True)
class Table:
    """What a table holds.

    Attributes:
        columns: their names, as they stand there.
        rows: place, like `line 3 of cases.csv`, and values by column of each row that is not empty.
        faults: of rows that have more values than columns, which are not among the rows.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, str]], ...]
    faults: tuple[Fault, ...]


def read_table(file: Path, given: str) -> Table:
    """Return the columns and rows of a table, without spaces around the values.

    Args:
        file: of text in UTF-8; the commonest delimiter of its first line is the table's.
        given: what the user wrote: "-i cases.csv".

    Raises:
        DataError: it cannot be read, or is no table.
    """
    lines = read_lines(file, given)
    before = int(lines[:1] in SEPARATOR_LINES)
    head = "".join(lines[before : before + 1])
    delimiter = max(DELIMITERS, key=head.count)
    numbered = _rows(lines[before:], delimiter, given)
    _, first = next(numbered, (0, []))
    columns = tuple(name.strip() for name in first)
    rows, faults = [], []
    for number, row in numbered:
        if not any(map(str.strip, row)):
            continue
        place = f"line {number + before} of {file.name}"
        if any(map(str.strip, row[len(columns) :])):
            problem = f"{place}: {len(row)} values for {counted(len(columns), 'column')}."
            faults.append(Fault(problem, f'put values that hold "{delimiter}" in quotes.'))
            continue
        rows.append((place, dict(zip(columns, map(str.strip, row), strict=False))))
    return Table(columns, tuple(rows), tuple(faults))


def read_lines(file: Path, given: str) -> list[str]:
    """Return the lines of a text.

    Args:
        file: of text in UTF-8, with or without a mark.
        given: what the user wrote.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{given} is no text in UTF-8.", fix="save it as UTF-8 (Excel: CSV UTF-8)."
        ) from error
    except OSError as error:
        raise DataError(f"{given} cannot be read: {error.strerror or error}.") from error


def _rows(lines: Sequence[str], delimiter: str, given: str) -> Iterator[tuple[int, list[str]]]:
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
            f"{given} is no table, in line {reader.line_num}: {error}.",
            fix='a row per line; is a quote (") left open before it?',
        ) from error
