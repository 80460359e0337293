"""Pictures with one right answer: an opaque alpha, palettes, grey in colours, 0/255."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.nifti_header import hidden_numbers
from nnunet_vit.data.checks.raster_reading import ITK, bands_of
from nnunet_vit.data.checks.stored_pixels import PALETTE, oddity_of
from nnunet_vit.data.labels import Labels
from nnunet_vit.data.naming import ending_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from nnunet_vit.files.array_type import Array

WHITE = 255
WITH_ALPHA = ("LA", "RGBA")
EXACT = ("1", "L", "P", "LA", "RGB", "RGBA", "I;16")  # modes that Pillow reads as they are stored
ITK_ENDINGS = (".nii", ".nii.gz", ".nrrd", ".mha")
DEPTH = 24  # where a PNG says how many bits its values have

Repaired = tuple["Array", str]  # pixels, and what was changed


def repaired_image(file: Path, channels: int) -> Repaired | None:
    """Return a picture without its opaque alpha channel; None where it cannot be repaired.

    Args:
        file: of an image that the check refuses.
        channels: that an image must have.
    """
    values = _pixels(file)
    if values is None or values.ndim != 3 or values.shape[-1] != channels + 1:
        return None
    if bands_of(file) not in WITH_ALPHA or (values[..., -1] != WHITE).any():
        return None
    kept = values[..., 0] if channels == 1 else values[..., :-1]
    return kept, "opaque alpha channel removed"


def repaired_mask(file: Path, labels: Labels, ending: str) -> Repaired | None:
    """Return the labels that a mask stands for; None where more than one answer could be right.

    Args:
        file: of a mask that the check refuses.
        labels: that it may hold.
        ending: of the file.
    """
    import numpy as np

    volume = ending.lower() in ITK_ENDINGS
    values, done = (_volume(file), []) if volume else _as_grey(file, labels)
    if values is None or values.ndim > (3 if volume else 2):
        return None
    one, found = _one_class(labels), set(np.unique(values).tolist())
    if one is not None and WHITE not in labels.allowed and {WHITE} <= found <= {0, WHITE}:
        values, found = np.where(values == WHITE, one, 0), found - {WHITE} | {one}
        done.append(f"{one} for 255")
    if not done or not found <= set(labels.allowed):
        return None
    kind = np.uint8 if values.max(initial=0) <= WHITE else np.uint16
    return values.astype(kind), ", ".join(done)


def _as_grey(file: Path, labels: Labels) -> "tuple[Array | None, list[str]]":
    """Return a picture as one channel with what was done for it; None where that is not clear."""
    values, mode = _pixels(file), bands_of(file)
    if values is None or (mode == "P" and not _begins_black(file)):
        return None, []
    done = ["palette's indices as grey"] if mode == "P" else []
    if mode in WITH_ALPHA:
        if (values[..., -1] != WHITE).any():
            return None, []
        values = values[..., :-1]
        done.append("opaque alpha channel removed")
    if values.ndim == 2:
        return values, done
    grey = _grey(values, labels)
    if grey is None:
        return None, []
    return grey[0], [*done, grey[1]] if grey[1] else done


def _grey(values: "Array", labels: Labels) -> "tuple[Array, str] | None":
    """Return colours as one channel: equal ones, or black and one more where there is one class."""
    import numpy as np

    first = values[..., :1]
    if (values == first).all():
        return values[..., 0], "" if values.shape[-1] == 1 else "equal colours as grey"
    colours = np.unique(values.reshape(-1, values.shape[-1]), axis=0)
    one = _one_class(labels)
    if one is None or len(colours) != 2 or colours[0].any():
        return None
    name = "#" + "".join(f"{part:02x}" for part in colours[1])
    return np.where((values == colours[1]).all(-1), one, 0), f"{one} for the colour {name}"


def _one_class(labels: Labels) -> int | None:
    """Return the one label that is no background, where there is one and nothing is ignored."""
    foreground = labels.foreground
    return foreground[0] if len(foreground) == 1 and labels.ignore is None else None


def _pixels(file: Path) -> "Array | None":
    """Return what a picture stores; None where programs show something else, or none reads it."""
    import numpy as np
    from PIL import Image

    if oddity_of(file, file.suffix.lower(), (PALETTE,))[0]:
        return None
    try:
        with Image.open(file) as picture:
            if picture.mode not in EXACT or getattr(picture, "n_frames", 1) > 1:
                return None
            if not _has_eight_bits(file, picture):
                return None
            values, is_tiff = np.array(picture), picture.format == "TIFF"
        return None if is_tiff and not _is_as_stored(values, file) else values
    except Exception:  # whatever a damaged file raises: it cannot be repaired
        return None


def _is_as_stored(values: "Array", file: Path) -> bool:
    """Tell whether nnU-Net's reader of TIFF finds the same: Pillow turns and inverts some."""
    import numpy as np
    import tifffile

    return bool(np.array_equal(tifffile.imread(file), values))


def _has_eight_bits(file: Path, picture: "Image") -> bool:
    """Tell whether colours have the 8 bits that Pillow reads of them."""
    if picture.mode not in {"LA", "RGB", "RGBA"}:
        return True
    if picture.format == "PNG":
        with file.open("rb") as content:
            return content.read(DEPTH + 1)[DEPTH] == 8
    if picture.format == "TIFF":
        import tifffile

        with tifffile.TiffFile(file) as content:
            return bool(content.pages[0].dtype == "uint8")
    return picture.format == "BMP"


def _begins_black(file: Path) -> bool:
    """Tell whether a palette's first colour is black, as a background is."""
    from PIL import Image

    with Image.open(file) as picture:
        return (picture.getpalette() or [1])[:3] == [0, 0, 0]


def _volume(file: Path) -> "Array | None":
    """Return the values of a volume; None where none reads it, or where NaN would become 0."""
    import SimpleITK

    if hidden_numbers(file, ending_of(file.name), ITK[0]):
        return None
    try:
        values: Array = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))
    except RuntimeError:
        return None
    return values


def write_pixels(values: "Array", file: Path, like: Path, *, ending: str) -> None:
    """Write repaired pixels; volumes lie where they lay.

    Raises:
        OSError, RuntimeError: the disk refuses.
    """
    if ending.lower() not in ITK_ENDINGS:
        from PIL import Image

        Image.fromarray(values).save(file)
        return
    import SimpleITK

    image = SimpleITK.GetImageFromArray(values)
    image.CopyInformation(SimpleITK.ReadImage(str(like)))
    SimpleITK.WriteImage(image, str(file))
