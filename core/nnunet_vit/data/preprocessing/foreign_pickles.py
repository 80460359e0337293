"""Preprocessed data from elsewhere: pickles that would run a program when nnU-Net reads them.

What belongs there is numbers and arrays; every other name in a file is refused, nothing is called.
"""

import pickle
from pathlib import Path

from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped

REMEDY = "are the data from elsewhere? --preprocess-again makes them again"
ARRAYS = {
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core")
      for name in ("_reconstruct", "scalar")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
    ("collections", "OrderedDict"), ("builtins", "set"), ("builtins", "slice"),
}  # fmt: skip


class _ForeignNameError(Exception):
    """A name that has no place there."""


class _Arrays(pickle.Unpickler):
    """Makes numbers and arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        """Return what arrays are made with."""
        if (module, name) in ARRAYS:
            return super().find_class(module, name)
        raise _ForeignNameError(f"{module}.{name}")


def refuse_foreign_pickles(data: Path) -> None:
    """Refuse a folder of preprocessed cases whose properties would run something.

    Args:
        data: the folder, which may not exist; damaged files are named where they are read.

    Raises:
        DataError: names the files, and what they would call.
    """
    faults = []
    for file in sorted(data.glob("*.pkl")):
        try:
            with file.open("rb") as content:
                _Arrays(content).load()
        except _ForeignNameError as error:
            faults.append(FileFault(file, f"would call {error} where nnU-Net reads it", REMEDY))
        except Exception:  # whatever a damaged pickle raises is told where it is read
            continue
    refuse(data, grouped(faults))
