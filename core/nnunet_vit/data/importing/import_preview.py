"""A picture of three cases with their masks, as an import would write them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.importing.case_facts import CaseFacts, read_image
from nnunet_vit.data.importing.import_plan import ImportPlan
from nnunet_vit.data.importing.overlapping import OverlapRule, names_in
from nnunet_vit.data.importing.reading.any_pixels import Reading
from nnunet_vit.data.importing.written_case import CaseWriter
from nnunet_vit.files.own_picture import write_picture
from nnunet_vit.report.overlay import Legend, as_rgb, in_a_row, outlined, present_labels
from nnunet_vit.report.view_size import resized, view_size

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

CASES = 3
EDGES = 320, 512  # pixels of a view's longer edge, at least and at most
WHITE = 255


def write_preview(plan: ImportPlan, reading: Reading, file: Path) -> list[str]:
    """Write a picture of three cases, first, middle and last of those with foreground.

    Args:
        plan: what would be written.
        reading: what files do not say themselves.
        file: a PNG.

    Returns:
        the names of the cases.

    Raises:
        OSError: the disk refuses.
    """
    import numpy as np

    shown = _chosen(plan.training)
    writer = CaseWriter(reading, plan.target, plan.rule, link=False)
    legend = _legend(plan)
    rows = [_row(writer, case, legend) for case in shown]
    width = max(row.shape[1] for row in rows)
    padded = [
        np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=WHITE)
        for row in rows
    ]
    write_picture(np.concatenate(padded), file)
    return [case.case.name for case in shown]


def _chosen(cases: Sequence[CaseFacts]) -> list[CaseFacts]:
    marked = [case for case in cases if len(case.counts) > 1] or list(cases)
    places = {0, len(marked) // 2, len(marked) - 1}
    return [marked[place] for place in sorted(places)][:CASES]


def _legend(plan: ImportPlan) -> Legend:
    rule = plan.rule
    if isinstance(rule, OverlapRule):
        names = {number: " + ".join(names_in(bits, rule.classes)) for bits, number in
                 rule.numbers.items() if bits}  # fmt: skip
        return Legend(names)
    named = {number: name for name, number in rule.labels.items() if number}
    ignored = rule.labels.get("ignore")
    return Legend({n: name for n, name in named.items() if n != ignored}, ignored)


def _row(writer: CaseWriter, case: CaseFacts, legend: Legend) -> "Array":
    """Return image and mask beside each other; of a volume the slice with most foreground."""
    import numpy as np

    labels = writer.labels(case)
    slice_ = int((labels != 0).sum(axis=(1, 2)).argmax())
    first = read_image(case.images[0].file, writer.reading)
    if isinstance(first, FileFault):
        refuse(first.file, grouped([first]))
    image = first.values[:, slice_]  # type: ignore[union-attr]
    colours = as_rgb(image[0] if len(image) != 3 else np.moveaxis(image, 0, -1))
    size = view_size(colours.shape[:2], *EDGES)
    picture, mask = resized(colours, size), resized(labels[slice_], size)
    place = f", slice {slice_ + 1} of {len(labels)}" if len(labels) > 1 else ""
    views = {f"{case.case.name}{place}": picture, "mask": outlined(picture, mask, legend)}
    present = {int(label) for label in np.unique(labels)}
    return in_a_row(views, present_labels(legend, present))
