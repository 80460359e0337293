"""What is made of masks when all are there: tables and pictures."""

from pathlib import Path

from nnunet_vit.data.checks.raster_reading import Raster, read
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.naming import ending_of
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.class_volumes import write_volumes
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.outputs.instances import write_instances
from nnunet_vit.inference.outputs.mask_overlays import Drawing, draw_overlays
from nnunet_vit.inference.outputs.uncertainty_table import write_uncertainty
from nnunet_vit.report.progress import Progress


def write_after_masks(
    masks: Path,
    inputs: Inputs,
    description: JsonObject,
    *,
    outputs: CaseOutputs,
    progress: Progress,
) -> None:
    """Write what was asked for beside the masks of all cases, earlier ones among them.

    Args:
        masks: the folder of masks.
        inputs: the cases that have a mask.
        description: dataset.json.
        outputs: what is asked for.
        progress: where to show what happens.

    Raises:
        MachineError: it cannot be written.
    """
    from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

    cases = inputs.cases
    if not cases:
        return
    reader, options = recursive_find_reader_writer_by_name(outputs.reader), outputs.options

    def look(case: str) -> Raster | FileFault:
        file = cases[case][0]
        return read(file, inputs.readers.get(case, reader), ending_of(file.name), "image")

    if options.volumes:
        write_volumes(masks, cases, description, large=inputs.large)
    if options.uncertainty:
        write_uncertainty(masks, list(cases), outputs, reader)
    if options.instances:
        write_instances(masks, list(cases), description, outputs=outputs, reader=reader)
    if options.overlays:
        draw_overlays(list(cases), Drawing(masks, description, reader, outputs, look), progress)
