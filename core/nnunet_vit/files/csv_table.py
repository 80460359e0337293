"""Write a table as CSV, whole or not at all."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from nnunet_vit.files.writing import write_text


def write_table(columns: Sequence[str], rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write the names of the columns and the rows below them.

    Raises:
        MachineError: it cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(text.getvalue(), path)
