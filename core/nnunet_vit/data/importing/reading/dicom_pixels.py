"""DICOM: single files and series in a folder; pydicom reads the headers, SimpleITK the voxels."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.data.case_files import is_foreign
from nnunet_vit.data.importing.reading.pixels import Pixels, UnusableError
from nnunet_vit.data.importing.reading.placed_pixels import placement_of, values_of
from nnunet_vit.errors import MachineError, counted

if TYPE_CHECKING:
    from pydicom import FileDataset

DICOM = (".dcm", ".dicom", ".ima")
MAGIC = b"DICM"
UNEVEN = 0.01  # share of the usual distance between slices that one may differ by
ASIDE = 0.1  # mm that slices may lie beside the line along their normal
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
COLOURS = ("MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT")


def is_dicom(file: Path) -> bool:
    """Tell whether a file without an ending is DICOM."""
    with contextlib.suppress(OSError), open(file, "rb") as content:
        content.seek(128)
        return content.read(len(MAGIC)) == MAGIC
    return False


def series_files(folder: Path) -> list[Path]:
    """Return the DICOM files of a folder, by their endings or, without one, by what they hold."""
    files = sorted(path for path in folder.iterdir() if not is_foreign(path.name))
    return [
        file
        for file in files
        if file.is_file() and (file.suffix.lower() in DICOM or (not file.suffix and is_dicom(file)))
    ]


def read_dicom(path: Path) -> Pixels:
    """Return the voxels of a file, or of the series in a folder.

    Raises:
        MachineError: pydicom is not installed.
        UnusableError: the folder holds several series, slices are missing, or values mean another
            brightness than is seen.
    """
    import SimpleITK

    files = series_files(path) if path.is_dir() else [path]
    if not files:
        raise UnusableError("is a folder without DICOM files")
    headers = [_header(file) for file in files]
    _refuse(headers)
    first = headers[0]
    done: tuple[str, ...] = ()
    if len(files) > 1:
        places = _places(headers)
        order = sorted(range(len(files)), key=places.__getitem__)
        _refuse_gaps(sorted(places))
        files, done = [files[n] for n in order], (f"series of {counted(len(files), 'file')}",)
        stored = SimpleITK.ReadImage([str(file) for file in files], imageIO="GDCMImageIO")
    else:
        stored = SimpleITK.ReadImage(str(files[0]), imageIO="GDCMImageIO")
    slope, shift = first.get("RescaleSlope", 1), first.get("RescaleIntercept", 0)
    if (float(slope), float(shift)) != (1.0, 0.0):
        done = (*done, f"values in the file's own unit: {slope} x stored + {shift}")
    sized = len(files) > 1 or any(name in first for name in SPACINGS)
    return Pixels(
        values_of(stored),
        placement_of(stored) if sized else None,
        done=done,
        lossy=str(first.get("LossyImageCompression", "00")) == "01" or bool(_lossy_syntax(first)),
        modality=str(first.get("Modality", "")),
    )


def _header(file: Path) -> "FileDataset":
    try:
        import pydicom
    except ImportError as error:
        raise MachineError(
            "DICOM needs pydicom, which is not installed.", fix="pip install 'nnunet-vit[dicom]'"
        ) from error
    try:
        return pydicom.dcmread(file, stop_before_pixels=True)
    except pydicom.errors.InvalidDicomError as error:
        raise UnusableError(
            f"{file.name} is no DICOM file", "remove it, or copy it again"
        ) from error


def _refuse(headers: Sequence["FileDataset"]) -> None:
    series = {str(header.get("SeriesInstanceUID", "")) for header in headers}
    if len(series) > 1:
        raise UnusableError(f"holds {len(series)} series", "a folder per series")
    for header in headers:
        _refuse_meaning(header)
    scales = {
        (float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0)))
        for header in headers
    }
    if len(scales) > 1:
        raise UnusableError("has slices with different units (RescaleSlope)", "one unit per series")
    sizes = {(header.get("Rows"), header.get("Columns")) for header in headers}
    if len(sizes) > 1:
        raise UnusableError(f"has slices of {len(sizes)} sizes", "one size per series")


def _refuse_meaning(header: "FileDataset") -> None:
    """Refuse what holds no picture, several, or one whose values are not what is seen."""
    if "Rows" not in header:
        raise UnusableError("holds no image", "leave it out")
    frames = int(header.get("NumberOfFrames", 1) or 1)
    if frames > 1:
        raise UnusableError(f"holds {frames} frames", "dcm2niix converts it to NIfTI, or to files")
    kind = str(header.get("PhotometricInterpretation", ""))
    if kind == "MONOCHROME1":
        raise UnusableError(
            "stores white as its lowest value (MONOCHROME1)", "save it with black as its lowest"
        )
    if kind not in COLOURS:
        raise UnusableError(f"stores its colours as {kind or 'nobody knows'}", "save it as RGB")


def _places(headers: Sequence["FileDataset"]) -> list[float]:
    """Return where each slice lies along the series' normal, in mm."""
    import numpy as np

    try:
        turns = np.array([header.ImageOrientationPatient for header in headers], float)
        if not np.allclose(turns, turns[0], rtol=0, atol=UNEVEN):
            raise UnusableError("has slices that are turned against each other", "one direction")
        normal = np.cross(*turns[0].reshape(2, 3))
        vectors = np.array([_vector(header) for header in headers])
    except AttributeError as error:
        raise UnusableError(
            "does not say where its slices lie (ImagePositionPatient, ImageOrientationPatient)",
            "one file per case where they are single pictures",
        ) from error
    places = vectors @ normal
    aside = vectors - np.outer(places, normal)
    furthest = float(np.linalg.norm(aside - aside[0], axis=1).max())
    if furthest > ASIDE:
        raise UnusableError(
            f"has slices that are shifted by up to {furthest:.3g} mm beside the line through them, "
            "as with a tilted gantry",
            "dcm2niix writes it straight (the file ending in _Tilt)",
        )
    return [float(place) for place in places]


def _vector(header: "FileDataset") -> Any:  # noqa: ANN401 - an array of three numbers
    import numpy as np

    return np.array(header.ImagePositionPatient, float)


def _refuse_gaps(places: Sequence[float]) -> None:
    import numpy as np

    steps = np.diff(places)
    usual = float(np.median(steps))
    if (steps <= 0).any() or usual <= 0:
        raise UnusableError("has two slices at the same place", "one copy of each slice")
    odd = int((abs(steps - usual) > UNEVEN * usual).sum())
    if odd:
        raise UnusableError(
            f"has slices at uneven distances ({odd} of {len(steps)} are not {usual:g} mm): "
            "are some missing?",
            "copy the whole series; resample it where it was taken so",
        )


def _lossy_syntax(header: "FileDataset") -> bool:
    name = str(getattr(header.file_meta.get("TransferSyntaxUID", ""), "name", ""))
    return any(word in name for word in ("JPEG Baseline", "JPEG Extended", "MPEG")) or (
        "JPEG 2000" in name and "Lossless" not in name
    )
