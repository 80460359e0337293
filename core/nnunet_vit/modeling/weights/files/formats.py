"""What kind of file lies there, told by its first bytes: a suffix says little."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.modeling.weights.files.unreadable import AGAIN, unreadable

HEAD = 512  # bytes that tell the kind
TAR = slice(257, 262)
CONVERT = (
    "load it with the library that wrote it and save its tensors under the names of a PyTorch "
    "model, with safetensors.torch.save_file."
)
EXPORTED = (
    "save torch.export.load(path).state_dict with safetensors.torch.save_file, and give that."
)
PULL = "git lfs pull in the folder that it lies in, or fetch the file itself."
UNPACK = "unpack it, and give the weights file inside."


@dataclass(frozen=True)
class Kind:
    """A kind of file that is recognised and not read.

    Attributes:
        start: what its first bytes match.
        reason: why it is not read.
        fix: what to do; empty: what files can be given.
    """

    start: re.Pattern[bytes]
    reason: str
    fix: str = ""


def _kind(start: bytes, what: str, fix: str = CONVERT) -> Kind:
    pattern = re.compile(start, re.DOTALL | re.IGNORECASE)
    end = ", which is not supported" if fix in (CONVERT, UNPACK) else ""
    return Kind(pattern, f"it is {what}{end}", fix)


KINDS = (
    _kind(rb"\s*<(!doctype|html|head|\?xml)", "a web page, saved in place of the file", AGAIN),
    _kind(rb"(?=.*oid sha256:)", "a Git LFS pointer, not the file itself", PULL),
    _kind(rb"\x89HDF\r\n", "an HDF5 file (Keras)"),
    _kind(rb"GGUF|ggml|lmgg", "a GGUF file"),
    _kind(rb"[\x81-\x8f](?:[\xa1-\xbf]|\xd9)", "a Flax (msgpack) file"),
    _kind(rb"(?:\xde|\xdf..)..(?:[\xa0-\xbf]|\xd9)", "a Flax (msgpack) file"),
    _kind(rb"....TFL3", "a TensorFlow Lite file"),
    _kind(rb"\x08\x01\x12", "a TensorFlow model (SavedModel)"),
    _kind(rb"\x08[\x02-\x20][\x12\x1a\x22\x28\x32\x3a\x42]", "an ONNX model"),
    _kind(rb"\x93NUMPY", "a single NumPy array (.npy)"),
    _kind(rb"\x1f\x8b|\xfd7zXZ|BZh\d|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!", "a packed file", UNPACK),
    _kind(rb"\s*[\[{]\s*[\"\]}]", "a text file (JSON)", ""),
)
SAFETENSORS, ARCHIVE, ARRAYS, STREAM = "safetensors", "archive", "arrays", "stream"


def format_of(path: Path) -> str:
    """Return how a file is read: as safetensors, torch's archive or stream, or NumPy's arrays.

    Raises:
        ModelError: it is empty, or of a kind that is not read, which is named.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        raise unreadable(path, "it is empty", AGAIN)
    if head[:2] == b"PK":
        return _inside(path)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**40:
        return SAFETENSORS
    for kind in KINDS:
        if kind.start.match(head):
            raise unreadable(path, kind.reason, kind.fix)
    if head[TAR] == b"ustar":
        raise unreadable(path, "it is a tar archive", UNPACK)
    return SAFETENSORS if path.suffix == ".safetensors" and head[0] != 0x80 else STREAM


def _inside(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise unreadable(path, "it is cut off or damaged", AGAIN) from error
    if any(name.endswith("data.pkl") and name.count("/") < 2 for name in names):
        return ARCHIVE
    if names and all(name.endswith(".npy") for name in names):
        return ARRAYS
    if "model.weights.h5" in names:
        raise unreadable(path, "it is a Keras file, which is not supported", CONVERT)
    if any(name.endswith("/archive_format") for name in names):
        raise unreadable(path, "it is an exported program (torch.export)", EXPORTED)
    inner = [name for name in names if name.endswith((".pth", ".pt", ".bin", ".safetensors"))]
    fix = f"unpack it, and give the weights file inside ({inner[0]})." if inner else ""
    raise unreadable(path, "it is an archive of something else", fix)
