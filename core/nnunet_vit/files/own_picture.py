"""Pictures that vit_cli writes, which bear a mark: no other file is written over."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.files.integrity import PNG
from nnunet_vit.files.writing import replacing

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

KEY, PROGRAM = "Software", "nnunet-vit"
HEAD = 4096  # bytes of a picture that hold the mark


def write_picture(picture: "Array", path: Path) -> None:
    """Write a picture as PNG with the mark, whole or not at all.

    Args:
        picture: (Y, X, 3) uint8.
        path: of the PNG.

    Raises:
        OSError: the disk refuses.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    mark = PngInfo()
    mark.add_text(KEY, PROGRAM)
    with replacing(path) as unfinished:
        Image.fromarray(picture).save(unfinished, format="PNG", pnginfo=mark)


def is_own_picture(path: Path) -> bool:
    """Tell whether a file bears the mark; one that cannot be read does not."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    return head.startswith(PNG) and f"tEXt{KEY}\0{PROGRAM}".encode() in head
