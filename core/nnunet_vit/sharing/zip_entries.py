"""The entries of a zip, looked at before any is read: no paths out, no links, no pickles."""

import re
import stat
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence

PICKLES = (".pth", ".pt", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy", ".npz")
LARGEST_TEXT = 16 << 20  # bytes of a JSON file or the card
ENCRYPTED = 0x1  # in an entry's flags
READ = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
WEIGHTS = ".safetensors"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*/?")


def entry_faults(entries: Sequence[zipfile.ZipInfo], size: int) -> list[str]:
    """Return all that is wrong with the entries of a zip, each with its name.

    Args:
        entries: of the zip.
        size: of the zip, bytes.
    """
    names = Counter(entry.filename.casefold().rstrip("/") for entry in entries)
    doubled = [f"{name!r} is there {count} times" for name, count in names.items() if count > 1]
    found = [f"{entry.orig_filename!r} {fault}" for entry in entries for fault in _faults(entry)]
    if sum(entry.compress_size for entry in entries) > size:
        found.append("its entries overlap: they are longer together than the file")
    return doubled + found


def _faults(entry: zipfile.ZipInfo) -> Iterator[str]:
    yield from _of_name(entry)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        yield "is a link"
    elif kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield "is a special file"
    if entry.flag_bits & ENCRYPTED:
        yield "is encrypted"
    if entry.compress_type not in READ:
        yield f"is compressed by method {entry.compress_type}"
    yield from _of_size(entry)


def _of_name(entry: zipfile.ZipInfo) -> Iterator[str]:
    name = entry.orig_filename
    parts = re.split(r"[\\/]", name)
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        yield "is an absolute path"
    elif ".." in parts:
        yield "leads out of the folder"
    elif not NAME.fullmatch(name):
        yield "is no name that a bundle has"
    if name.lower().endswith(PICKLES):
        yield "is a pickle, which can run code"


def _of_size(entry: zipfile.ZipInfo) -> Iterator[str]:
    if entry.filename.endswith("/"):
        if entry.file_size:
            yield "is a folder with content"
    elif entry.filename.endswith(WEIGHTS):
        # so the bytes of a bundle are those of its file, whatever an entry claims
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            yield "is compressed: weights are stored as they are"
    elif entry.file_size > LARGEST_TEXT:
        yield f"is larger than {LARGEST_TEXT:,} bytes unpacked"
