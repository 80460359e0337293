"""Cases that the check has just read: what planning and preprocessing would read them for again.

Kept are fingerprints, and as many pixels as memory allows. A file that is another one by the time
it is needed is read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from nnunet_vit.data.checks.case_rasters import Rasters
from nnunet_vit.data.checks.detached_data import is_all_of_it
from nnunet_vit.data.checks.raster_reading import Raster
from nnunet_vit.data.preprocessing.fingerprint import (
    CaseFingerprint,
    fingerprint_of_case,
    samples_per_case,
)
from nnunet_vit.data.preprocessing.raw_files import Files, FileState
from nnunet_vit.files.digests import known_sha256
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.files.machine_memory import bytes_available

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

Kept = TypeVar("Kept")
SHARE = 0.25  # of the memory that is free, for pixels
UNKNOWN = 2**30  # bytes, where the system does not say what is free

Times = list[tuple[int, int, int]]  # of each file: size, change of its content, of its entry


@dataclass(frozen=True)
class Pixels:
    """A case as nnU-Net's reader returns it.

    Attributes:
        images: (C, Z, Y, X), in the least type that holds them.
        label: (1, Z, Y, X).
        properties: of the images.
    """

    images: "Array"
    label: "Array"
    properties: JsonMapping


@dataclass
class ReadCases:
    """Takes what the check reads; is asked for it afterwards.

    Attributes:
        files: of each case.
        fingerprints: whether the dataset is about to be planned.
        room: bytes of pixels that may still be kept.
    """

    files: Files
    fingerprints: bool
    room: int = field(default_factory=lambda: int((bytes_available() or UNKNOWN) * SHARE))

    def __post_init__(self) -> None:
        """Note the files' sizes and times before anything is read."""
        self._times = {case: _times_of(files) for case, files in self.files.items()}
        self._reader = ""
        self._pixels: dict[str, Pixels] = {}
        self._fingerprints: dict[str, CaseFingerprint] = {}
        self._lock = Lock()

    def take(
        self, name: str, images: Rasters, label: Raster, *, reader: "type[BaseReaderWriter]"
    ) -> None:
        """Keep what planning and preprocessing will ask for of a case."""
        import numpy as np
        from nnunetv2.imageio.reader_writer_registry import LIST_OF_IO_CLASSES

        # of these it is known that they read the files of a case one by one, and nothing else
        files = self.files.get(name, ())
        if reader not in LIST_OF_IO_CLASSES or not files or not is_all_of_it(files):
            return

        self._reader = reader.__name__
        values = np.concatenate([raster.values for raster in images.images])
        pixels = Pixels(values, label.values, images.images[0].properties)
        if self.fingerprints:
            samples = samples_per_case(len(self.files))
            self._fingerprints[name] = fingerprint_of_case(
                pixels.images, pixels.label, pixels.properties, samples=samples
            )
        for file in files:  # the system still has their bytes in memory
            known_sha256(file)
        self._keep(name, Pixels(_least(values), _least(label.values), pixels.properties))

    def fingerprint(
        self, case: str, states: Sequence[FileState], reader: str
    ) -> CaseFingerprint | None:
        """Return a case's fingerprint and forget it, or None where it has to be read.

        Args:
            case: its name.
            states: of its files now.
            reader: nnU-Net's, by class name, that would read it.
        """
        return self._given_away(self._fingerprints, case, states, reader=reader)

    def forget(self) -> None:
        """Let go of all that is still kept."""
        self._pixels.clear()
        self._fingerprints.clear()

    def pixels(self, case: str, states: Sequence[FileState], reader: str) -> Pixels | None:
        """Return a case's pixels and forget them, or None where it has to be read.

        Args:
            case: its name.
            states: of its files now.
            reader: nnU-Net's, by class name, that would read it.
        """
        return self._given_away(self._pixels, case, states, reader=reader)

    def _keep(self, name: str, pixels: Pixels) -> None:
        size = pixels.images.nbytes + pixels.label.nbytes
        with self._lock:
            if size > self.room:
                return
            self.room -= size
        self._pixels[name] = pixels

    def _given_away(
        self, all_kept: dict[str, Kept], case: str, states: Sequence[FileState], *, reader: str
    ) -> Kept | None:
        kept = all_kept.pop(case, None)
        now = [(state.size, state.changed, state.written) for state in states]
        return kept if reader == self._reader and self._times.get(case) == now else None


def _times_of(files: Sequence[Path]) -> Times | None:
    try:
        found = [file.stat() for file in files]
    except OSError:  # the check says it
        return None
    return [(about.st_size, about.st_mtime_ns, about.st_ctime_ns) for about in found]


def _least(values: "Array") -> "Array":
    """Return the same values, a byte each where they are pictures' or labels."""
    import numpy as np

    if values.size and values.min() >= 0 and values.max() <= 255:
        small = values.astype(np.uint8)
        if (small == values).all():
            return small
    return values
