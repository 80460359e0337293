"""Masks of the pixels that count: outside the field of view of a fundus camera nothing does."""

from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.checked_masks import CheckedMasks
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.quantities import shape_text


def check_fields(
    pairs: Sequence[Pair], fields: Path, checked: CheckedMasks, *, ending: str
) -> None:
    """Look at the field of view of every pair.

    Args:
        pairs: masks that have been checked.
        fields: folder of masks of the references' names, not 0 where pixels count.
        checked: what the look at these masks told.
        ending: of the masks.

    Raises:
        ConfigError: the folder is not there.
        DataError: names every field that is missing, empty, or of another size.
    """
    if not fields.is_dir():
        raise ConfigError(f"--fov {fields} is {'a file' if fields.exists() else 'missing'}.")

    def fault_of(known: tuple[Pair, tuple[int, ...]]) -> FileFault | None:
        pair, shape = known
        file = fields / pair.reference.name
        if not file.is_file():
            return FileFault(file, "is missing: each reference needs a field of view of its name")
        field = read_mask(file, checked.reader, ending)
        if isinstance(field, FileFault):
            return field
        if field.values.shape[1:] != shape:
            sizes = (shape_text(one) for one in (field.values.shape[1:], shape))
            return FileFault(file, "is {}, its reference {}".format(*sizes))
        if not field.values.any():
            return FileFault(file, "is 0 everywhere: no pixel would count")
        return None

    faults = in_threads(fault_of, list(zip(pairs, checked.shapes, strict=True)))
    refuse(f"--fov {fields}", grouped(fault for fault in faults if fault))
