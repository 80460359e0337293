"""torch's two file formats: an archive of a pickle and storages, and the older single stream."""

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from nnunet_vit.modeling.weights.files.placeholders import Name
from nnunet_vit.modeling.weights.files.rebuilt import Storage, dtype_of
from nnunet_vit.modeling.weights.files.unpickler import InertUnpickler

MAGIC = 0x1950A86A20F9469CFC6C  # the first number of the older format
PROTOCOL = 1001
StorageOf = Callable[[object], object]  # of a pickle's persistent id


class TorchFileError(ValueError):
    """A file that is not what torch writes, or is damaged; the text is the reason."""


class TorchArchive:
    """The format since torch 1.6, which TorchScript shares: a zip of data.pkl and data/*."""

    def __init__(self, path: Path, foreign: set[str]) -> None:
        """Read from a file; names that are not allowed are added to foreign."""
        self._archive = zipfile.ZipFile(path)
        self._foreign = foreign
        self._storages: dict[str, Tensor] = {}
        names = self._archive.namelist()
        self._root = min((name for name in names if name.endswith("data.pkl")), key=len)[:-8]
        self._script = f"{self._root}constants.pkl" in names
        order = f"{self._root}byteorder"
        if order in names and bytes(self._record(order).numpy()) == b"big":
            raise TorchFileError("it was written on a big-endian machine")

    def read(self) -> object:
        """Return what the file holds."""
        with self._archive:
            stream = io.BytesIO(bytes(self._record(f"{self._root}data.pkl").numpy()))
            content = _read_pickle(stream, self._storage_of, self._foreign)
        if self._script and not self._storages:
            raise TorchFileError("it is a TorchScript archive that was frozen, without its weights")
        return content

    def _storage_of(self, what: object) -> Storage:
        kind, key, count = _storage_parts(what)
        if key not in self._storages:
            name = f"{self._root}data/{key}"
            self._storages[key] = self._record(name)
        return _checked(self._storages[key], kind, count)

    def _record(self, name: str) -> Tensor:
        about = self._archive.getinfo(name)
        if about.compress_type != zipfile.ZIP_STORED:
            raise TorchFileError(f"{name} in it is compressed, as torch leaves nothing")
        with self._archive.open(name) as record:
            assert isinstance(record, zipfile.ZipExtFile)
            if about.CRC == 0:  # none: torch.serialization.set_crc32_options(False)
                record._expected_crc = None  # type: ignore[attr-defined]
            return _filled(record, about.file_size)


class TorchStream:
    """The format before torch 1.6: pickles, the last of which lists the storages that follow."""

    def __init__(self, path: Path, foreign: set[str]) -> None:
        """Read from a file; names that are not allowed are added to foreign."""
        self._path = path
        self._foreign = foreign
        self._storages: dict[str, Tensor] = {}
        self._sizes: dict[str, int] = {}

    def read(self) -> object:
        """Return what the file holds."""
        with self._path.open("rb") as file:
            self._left = os.fstat(file.fileno()).st_size
            self._check_start(file)
            content = _read_pickle(file, self._storage_of, self._foreign)
            keys = _plain(file)
            if not isinstance(keys, Iterable):
                raise TorchFileError("it is no PyTorch file, or damaged")
            for key in keys:
                count = int.from_bytes(file.read(8), "little")
                values = self._storages[str(key)]
                if count * self._sizes[str(key)] != len(values):
                    raise TorchFileError("it is cut off or damaged")
                _fill(file, values)
        return content

    def _check_start(self, file: BinaryIO) -> None:
        try:
            start = (_plain(file), _plain(file), _plain(file))
        except Exception as error:
            raise TorchFileError("it is no PyTorch file, or damaged") from error
        if start[:2] != (MAGIC, PROTOCOL):
            raise TorchFileError("it is no PyTorch file, or damaged")
        if isinstance(start[2], dict) and start[2].get("little_endian") is False:
            raise TorchFileError("it was written on a big-endian machine")

    def _storage_of(self, what: object) -> object:
        if isinstance(what, tuple) and what and what[0] == "module":
            return what[1]  # a class with its source: its name is enough
        kind, key, count = _storage_parts(what)
        if key not in self._storages:
            self._sizes[key] = (dtype_of(kind) or torch.uint8).itemsize
            size = count * self._sizes[key]
            if size > self._left:
                raise TorchFileError("it is cut off or damaged")
            self._storages[key] = torch.empty(size, dtype=torch.uint8)
        values = self._storages[key]
        if isinstance(what, Sequence) and len(what) > 5 and what[5] is not None:
            _, start, count = what[5]
            values = values[start * self._sizes[key] :][: count * self._sizes[key]]
        return _checked(values, kind, count)


def _read_pickle(file: BinaryIO, storage_of: StorageOf, foreign: set[str]) -> object:
    reader = InertUnpickler(file, storage_of)
    reader.foreign = foreign
    content: object = reader.load()
    return content


def _plain(file: BinaryIO) -> object:
    return _read_pickle(file, lambda what: None, set())


def _storage_parts(what: object) -> tuple[Name, str, int]:
    match what:
        case ("storage", Name() as kind, key, _, int(count), *_) if count >= 0:
            return kind, str(key), count
    raise TorchFileError("it is no PyTorch file, or damaged")


def _checked(values: Tensor, kind: Name, count: int) -> Storage:
    dtype = dtype_of(kind)
    if dtype is not None and len(values) != count * dtype.itemsize:
        raise TorchFileError("it is cut off or damaged")
    return Storage(values, dtype)


def _filled(record: io.BufferedIOBase, size: int) -> Tensor:
    values = torch.empty(size, dtype=torch.uint8)
    _fill(record, values)
    return values


def _fill(file: io.BufferedIOBase, values: Tensor) -> None:
    """Read bytes into a tensor, and past them so that an archive compares its checksum."""
    view = memoryview(values.numpy())  # type: ignore[arg-type]
    done = 0
    while done < len(view):
        read = file.readinto(view[done:])
        if not read:
            raise TorchFileError("it is cut off or damaged")
        done += read
