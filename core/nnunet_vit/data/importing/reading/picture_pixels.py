"""PNG, JPEG, BMP and GIF, by Pillow, which is asked for nothing that it would round."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.importing.reading.pixels import (
    TRANSPARENT,
    Pixels,
    UnusableError,
    without_alpha,
)
from nnunet_vit.files.integrity import PNG

if TYPE_CHECKING:
    from PIL.Image import Image

    from nnunet_vit.files.array_type import Array

IHDR = slice(24, 26)  # bytes of a PNG that say bits per value, and what they are of
GREY, DEEP = 0, 16
LOSSY = {"JPEG", "MPO", "WEBP", "JPEG2000"}
OPAQUE_DROPPED = "opaque alpha channel left out"
TWO_TONES = "black and white written as 0 and 255"


def read_picture(file: Path) -> Pixels:
    """Return the pixels of a picture.

    Raises:
        UnusableError: it has several frames, transparency, or colours of another kind.
        OSError: it is damaged.
    """
    from PIL import Image

    bits, kind = _png_bits(file)
    if bits == DEEP and kind != GREY:  # Pillow halves their bits
        return _deep_colours(file)
    with Image.open(file) as picture:
        frames = int(getattr(picture, "n_frames", 1))
        if frames > 1 and picture.format != "MPO":
            raise UnusableError(
                f"holds {frames} pictures, an animation or pages", "save one picture per file"
            )
        picture.load()
        lossy = picture.format in LOSSY
        if picture.mode == "P":
            return _of_palette(picture)
        return _of_values(picture, bits, lossy)


def _png_bits(file: Path) -> tuple[int, int]:
    """Return a PNG's bits per value and type of colour; 8 and grey for every other file."""
    with open(file, "rb") as content:
        head = content.read(IHDR.stop)
    return (head[24], head[25]) if head.startswith(PNG) and len(head) == IHDR.stop else (8, GREY)


def _deep_colours(file: Path) -> Pixels:
    import numpy as np
    import SimpleITK

    stored = SimpleITK.ReadImage(str(file), imageIO="PNGImageIO")
    values = np.moveaxis(np.atleast_3d(SimpleITK.GetArrayFromImage(stored)), -1, 0)[:, None]
    if len(values) in (2, 4):
        opaque = np.iinfo(values.dtype).max
        return Pixels(without_alpha(values, opaque), done=(OPAQUE_DROPPED,))
    return Pixels(values)


def _of_palette(picture: "Image") -> Pixels:
    import numpy as np

    values = np.asarray(picture)[None, None]
    palette = np.asarray(picture.getpalette("RGB"), np.uint8).reshape(-1, 3)
    clear = picture.info.get("transparency")
    seen = np.unique(values).tolist()
    if isinstance(clear, bytes):
        clear = [number for number, alpha in enumerate(clear) if alpha < 255]
    if clear is not None and set(seen) & set(clear if isinstance(clear, list) else [clear]):
        raise UnusableError(*TRANSPARENT)
    if seen and seen[-1] >= len(palette):
        raise UnusableError("holds numbers of colours that its palette has not")
    return Pixels(values, palette=palette)


def _of_values(picture: "Image", bits: int, lossy: bool) -> Pixels:
    import numpy as np

    mode = picture.mode
    values = _channels_first(np.asarray(picture))
    if mode == "1":
        return Pixels(values.astype(np.uint8) * 255, done=(TWO_TONES,))
    if mode in ("LA", "RGBA"):
        return Pixels(without_alpha(values, 255), done=(OPAQUE_DROPPED,))
    if mode.startswith("I") and picture.format == "PNG":
        return Pixels(values.astype(np.uint16), as_stored=True)
    if mode == "L" and bits < 8:  # Pillow spreads them over 0 to 255
        return Pixels(values // (255 // (2**bits - 1)), done=(f"{bits}-bit values as stored",))
    if mode not in ("L", "RGB", "F"):
        raise UnusableError(f"stores its colours as {mode}", "save it as grey or RGB")
    return Pixels(values, as_stored=picture.format == "PNG", lossy=lossy)


def _channels_first(values: "Array") -> "Array":
    import numpy as np

    return values[None, None] if values.ndim == 2 else np.moveaxis(values, -1, 0)[:, None]
