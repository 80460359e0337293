"""Whether a file is complete and of the kind that its ending says; some readers do not look.

SimpleITK reads a NIfTI that was cut off as zeros from there on, without a word.
"""

import errno
import os
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PART = 1 << 20  # bytes read at a time
GZIP = b"\x1f\x8b"
PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
LFS = re.compile(rb"version \S+git-lfs")  # what a clone without its files holds
ANNEX = "/annex/objects/"  # of a link's target; an unlocked file that is not there holds it
FETCH = "`git annex get FILE`, or `datalad get FILE` where DataLad made the dataset"
KINDS = {
    ".png": (PNG,),
    ".bmp": (b"BM",),
    ".tif": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    ".nrrd": (b"NRRD",),
    ".nii.gz": (GZIP, b"\x5c\x01\0\0", b"\0\0\x01\x5c"),  # ITK reads it without gzip as well
    ".nii": (b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c"),
}
KINDS[".tiff"] = KINDS[".tif"]
FOUND = (
    (PNG, "a PNG"), (JPEG, "a JPEG"), (b"GIF8", "a GIF"), (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"), (b"MM\0*", "a TIFF"), (b"%PDF", "a PDF"), (b"PK\x03\x04", "a zip file"),
    (b"RIFF", "a WebP picture"), (GZIP, "a gzip file"), (b"NRRD", "an NRRD file"),
    (b"\x89HDF", "an HDF5 file"), (b"\x93NUMPY", "a NumPy array"), (b"\x5c\x01\0\0", "a NIfTI"),
)  # fmt: skip
GIPL_BYTES = {7: 1, 8: 1, 15: 2, 16: 2, 31: 4, 32: 4, 64: 4, 65: 8}  # by its type of values
META_BYTES = {"CHAR": 1, "SHORT": 2, "INT": 4, "LONG": 4, "FLOAT": 4, "DOUBLE": 8, "LONG_LONG": 8}


def flaw_of(file: Path, ending: str) -> tuple[str, str]:
    """Return what is wrong with a file and what to do; two empty texts where nothing is.

    The file is read to its end where its format tells how long it must be.
    """
    broken = broken_link(file)
    if broken[0]:
        return broken
    if os.path.isdir(file):
        return "is a folder, not a file", "remove it, or give it another name"
    try:
        with open(file, "rb") as content:
            first = content.read(512)
            flaw = _other_kind(first, ending.lower())
            return flaw if flaw[0] else _incomplete(content, first, ending.lower())
    except FileNotFoundError:
        return "is not there", ""
    except PermissionError:
        return "may not be read by this user", "change its permissions"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}", "copy it again"


def broken_link(file: Path) -> tuple[str, str]:
    """Return why a link leads to no file and what to do; two empty texts for everything else."""
    if not os.path.islink(file):
        return "", ""
    try:
        os.stat(file)
    except FileNotFoundError:
        if ANNEX in Path(os.path.realpath(file)).as_posix():
            return "is a link to nothing: git-annex has not fetched its content", FETCH
        return "is a link to nothing", "make it lead to the file, or put the file there"
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is a link that leads back to itself", "put the file in its place"
    return "", ""


def is_jpeg(file: Path) -> bool:
    """Tell whether a file holds a JPEG, whatever its ending."""
    with open(file, "rb") as content:
        return content.read(len(JPEG)) == JPEG


def _other_kind(first: bytes, ending: str) -> tuple[str, str]:
    if not first:
        return "is empty, 0 bytes", "copy it again"
    if LFS.match(first):
        return "is a pointer of Git LFS, not the file itself", "git lfs pull"
    if first.startswith(ANNEX.encode()):
        return "is a pointer of git-annex, not the file itself", FETCH
    if first.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"{")):
        return "is text (a web page?), not an image", "download it again"
    if ending not in KINDS or first.startswith(KINDS[ending]):
        return "", ""
    found = next((name for magic, name in FOUND if first.startswith(magic)), "")
    if ending in {".png", ".bmp"} and found in {"a PNG", "a JPEG", "a BMP", "a TIFF"}:
        return "", ""  # the reader of pictures looks at the content, not at the name
    if not found:
        return (
            f"does not begin as a {ending} file does",
            f"copy it again, or convert it to {ending}",
        )
    return f"is {found}, not what its ending {ending} says", f"convert it to {ending}"


def _incomplete(content: BinaryIO, first: bytes, ending: str) -> tuple[str, str]:
    content.seek(0)
    try:
        if first.startswith(PNG):
            reason = _png(content)
        elif first.startswith(GZIP):
            reason = _nifti(_unzipped(content)) if ending == ".nii.gz" else ""
        elif ending in {".nii", ".nii.gz"}:
            reason = _nifti(_parts(content))
        elif ending == ".gipl":
            reason = _gipl(_parts(content))
        elif ending == ".mha":
            reason = _meta_image(content.read())
        else:
            reason = ""
    except (zlib.error, struct.error, ValueError) as error:
        reason = f"is damaged: {error}"
    return reason, "copy it again" if reason else ""


def _parts(content: BinaryIO) -> Iterator[bytes]:
    while part := content.read(PART):
        yield part


def _unzipped(content: BinaryIO) -> Iterator[bytes]:
    """Yield what a gzip file holds; zlib compares the check sum of each member."""
    member = zlib.decompressobj(wbits=31)
    for part in _parts(content):
        left = part
        while left:
            if member.eof:
                if not left.strip(b"\0"):
                    break
                member = zlib.decompressobj(wbits=31)
            yield member.decompress(left)
            left = member.unused_data
    if not member.eof:
        raise ValueError("the file ends before its compressed data do")


def _png(content: BinaryIO) -> str:
    content.seek(len(PNG))
    while len(head := content.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        data = content.read(length + 4)
        if len(data) < length + 4:
            return "is cut off: the file ends before the picture does"
        if zlib.crc32(data[:-4], zlib.crc32(name)) != struct.unpack(">I", data[-4:])[0]:
            return f"is damaged: wrong check sum in its part {name.decode('latin-1')}"
        if name == b"IEND":
            return ""
    return "is cut off: the file ends before the picture does"


def _nifti(parts: Iterator[bytes]) -> str:
    header, length = b"", 0
    for part in parts:
        length += len(part)
        if len(header) < 544:
            header += part[: 544 - len(header)]
    if len(header) < 348:
        return "is cut off: shorter than the header of a NIfTI"
    order = "<" if header[:4] in {b"\x5c\x01\0\0", b"\x1c\x02\0\0"} else ">"
    if struct.unpack(f"{order}i", header[:4])[0] == 540:
        sizes = struct.unpack(f"{order}8q", header[16:80])
        bits, start = (
            struct.unpack(f"{order}h", header[14:16])[0],
            struct.unpack(f"{order}q", header[168:176])[0],
        )
    else:
        sizes = struct.unpack(f"{order}8h", header[40:56])
        bits = struct.unpack(f"{order}h", header[72:74])[0]
        start = int(struct.unpack(f"{order}f", header[108:112])[0])
    return _compared(length, start + _product(sizes[1 : 1 + sizes[0]]) * bits // 8)


def _gipl(parts: Iterator[bytes]) -> str:
    content = b"".join(parts)
    sizes, kind = struct.unpack(">4H", content[:8]), struct.unpack(">H", content[8:10])[0]
    if kind not in GIPL_BYTES:
        return ""
    return _compared(
        len(content), 256 + _product(max(size, 1) for size in sizes) * GIPL_BYTES[kind]
    )


def _meta_image(content: bytes) -> str:
    head, mark, data = content.partition(b"ElementDataFile")
    name, _, data = data.partition(b"\n")
    if not mark or name.strip(b" =\r") != b"LOCAL":
        return "" if mark else "is cut off: its header does not end"
    pairs = (line.split("=", 1) for line in head.decode("latin-1").splitlines() if "=" in line)
    keys = {key.strip(): value.strip() for key, value in pairs}
    if "CompressedDataSize" in keys:
        return _compared(len(data), int(keys["CompressedDataSize"]))
    if keys.get("BinaryData", "True") == "False":  # numbers as text have no fixed length
        return ""
    kind = keys.get("ElementType", "").removeprefix("MET_").removeprefix("U")
    if keys.get("CompressedData", "False") == "True" or kind not in META_BYTES:
        return ""
    channels = int(keys.get("ElementNumberOfChannels", "1"))
    voxels = _product(int(size) for size in keys.get("DimSize", "0").split())
    return _compared(len(data), voxels * channels * META_BYTES[kind])


def _compared(length: int, needed: int) -> str:
    if length >= needed:
        return ""
    return f"is cut off: {length} of {needed} bytes"


def _product(sizes: "Iterator[int] | tuple[int, ...]") -> int:
    product = 1
    for size in sizes:
        product *= size
    return product
