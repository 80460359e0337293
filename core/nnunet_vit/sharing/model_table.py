"""The models of a results folder as a table for people."""

from collections.abc import Sequence

from nnunet_vit.errors import shortened
from nnunet_vit.inference.run_list import indented
from nnunet_vit.quantities import bytes_text
from nnunet_vit.sharing.model_list import ModelRow

COLUMNS = ("head", "backbone", "tuning", "folds", "Dice", "from", "size")
RIGHT = {"Dice", "size"}  # numbers


def models_text(dataset: str, rows: Sequence[ModelRow]) -> str:
    """Return a dataset's models as lines: the parts of each, below them its folder."""
    if not rows:
        return f"{dataset}:\n  no model"
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]
    lines = [f"{dataset}:", _line(COLUMNS, widths)]
    for row, own in zip(rows, cells, strict=True):
        lines += [_line(own, widths), f"    {row.path.name}"]
        if row.doubt:
            lines += indented(row.doubt)
        if row.problems:
            lines.append(f"    DAMAGED: {shortened(row.problems)}")
    return "\n".join(lines)


def _cells(row: ModelRow) -> tuple[str, ...]:
    return (
        row.head or "-",
        row.backbone or "-",
        row.tuning or "-",
        " ".join(row.folds) or "none",
        "-" if row.dice is None else f"{row.dice:.3f}",
        row.origin,
        bytes_text(row.size),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        f"{cell:>{width}}" if name in RIGHT else f"{cell:<{width}}"
        for name, cell, width in zip(COLUMNS, cells, widths, strict=True)
    )
    return f"  {'  '.join(aligned)}".rstrip()
