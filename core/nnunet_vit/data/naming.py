"""What is wrong with the names of a folder of images or labels, in words, with the remedy."""

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from nnunet_vit.data.case_files import cases_of, channel_of, files_of, training_cases
from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import shortened
from nnunet_vit.files.json_file import JsonMapping

SHOWN = 5  # of a list of bad names
# what a browser or a file manager adds to the name of an image that is there already
COPY = re.compile(r"(.+_\d{4})[^\w.].*", re.DOTALL)
LOSSY = (".jpg", ".jpeg")
PICTURES = (
    ".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".gif", ".webp", ".nii.gz", ".nii", ".nrrd",
    ".nhdr", ".mha", ".mhd", ".gipl", ".dcm", ".npy", ".npz", ".h5", ".svs",
)  # fmt: skip


def image_faults(folder: Path, ending: str, of_model: bool = False) -> list[Fault]:
    """Return what is wrong with the names of the images of training or of prediction.

    Args:
        folder: imagesTr, or the images to predict.
        ending: dataset.json's file_ending.
        of_model: whether the ending is that of a trained model, which cannot be changed.
    """
    files, fault = _listed(folder)
    if fault is not None:
        return [fault]
    images = [file for file in files if file.name.endswith(ending)]
    if not images:
        return [
            _no_file(
                folder, "image", f"CASE_0000{ending}", ending=ending, files=files, of_model=of_model
            )
        ]
    bare = [file.name for file in images if not channel_of(file, ending)]
    if bare:
        return _bare_faults(folder, ending, bare, images={file.name for file in images})
    return _channel_faults(folder, ending)


def _bare_faults(folder: Path, ending: str, bare: list[str], *, images: set[str]) -> list[Fault]:
    """Return the faults of files without a channel number; copies would become cases if renamed."""
    wanted = f"{folder}: image files must end in _0000{ending}, one number of four digits per"
    found = {name: COPY.match(name) for name in bare}
    copies = [n for n, match in found.items() if match and f"{match[1]}{ending}" in images]
    others = [name for name in bare if name not in copies]
    faults = []
    if copies:
        fix = "are they copies of the images of that name? Then move them away."
        faults.append(Fault(f"{wanted} channel; found {shortened(copies, SHOWN)}.", fix))
    if others:
        renames = [(name, f"{name.removesuffix(ending)}_0000{ending}") for name in others]
        problem = f"{wanted} channel; found {shortened(others, SHOWN)}."
        faults.append(Fault(problem, _renaming(renames)))
    return faults


def label_faults(
    folder: Path, ending: str, cases: Iterable[str], *, alone: bool = False
) -> list[Fault]:
    """Return what is wrong with the names of labelsTr.

    Args:
        folder: labelsTr.
        ending: dataset.json's file_ending.
        cases: those that have images.
        alone: do not compare them with the images, whose names are wrong already.
    """
    files, fault = _listed(folder) if folder.exists() else ([], None)
    if fault is not None:
        return [fault]
    labels = {file.name.removesuffix(ending) for file in files if file.name.endswith(ending)}
    if not labels:
        return [
            _no_file(
                folder, "label file", f"CASE{ending}", ending=ending, files=files, of_model=False
            )
        ]
    with_images = set(cases)
    numbered = sorted(
        label for label in labels - with_images if re.sub(r"_\d{4}$", "", label) in with_images
    )
    if numbered:
        return [
            Fault(
                f"{folder}: label files have no channel number: "
                f"{shortened((label + ending for label in numbered), SHOWN)}.",
                _renaming([(f"{one}{ending}", f"{one[:-5]}{ending}") for one in numbered]),
            )
        ]
    return [] if alone else _unpaired(folder, ending, labels, cases=with_images)


def _renaming(pairs: list[tuple[str, str]]) -> str:
    """Return what to do, with the first names: one of them alone may be a stray file's."""
    shown = ", ".join(f"{old} to {new}" for old, new in pairs[:2])
    return f"rename {shown}{', and the others likewise' if len(pairs) > 2 else ''}."


def listing_faults(raw: Path, description: JsonMapping) -> list[Fault]:
    """Return which of the files that dataset.json lists under `dataset` are not there."""
    cases = training_cases(raw, description)
    files = [file for case in cases.values() for file in (*case.images, case.label)]
    missing = [str(file) for file in files if not os.path.lexists(file)]
    if not missing:
        return []
    return [
        Fault(
            f"{raw / 'dataset.json'}: files listed under dataset are not there: "
            f"{shortened(missing, SHOWN)}.",
            "paths are relative to the folder of dataset.json, or whole.",
        )
    ]


def other_images(folder: Path, ending: str) -> list[Path]:
    """Return the pictures in a folder whose ending is another one, or is written otherwise."""
    return [
        file
        for file in files_of(folder)
        if not file.name.endswith(ending) and ending_of(file.name).lower() in PICTURES
    ]


def ending_of(name: str) -> str:
    """Return the ending of a file's name as it stands there: `.PNG`, `.nii.gz`."""
    match = re.search(r"(\.nii)?\.[^.]*$", name, re.IGNORECASE)
    return match.group() if match is not None else ""


def counted_endings(files: Iterable[Path], most: int = SHOWN) -> str:
    """Return how many files have which ending, in words: `6 files *.jpg, 1 file *.txt`.

    Args:
        files: whose names count.
        most: endings that are told.
    """
    counts = Counter(ending_of(file.name) for file in files)
    return ", ".join(
        f"{count} file{'s' if count > 1 else ''} {f'*{ending}' if ending else 'without an ending'}"
        for ending, count in counts.most_common(most)
    )


def _listed(folder: Path) -> tuple[list[Path], Fault | None]:
    try:
        return files_of(folder), None
    except FileNotFoundError:
        return [], Fault(f"{folder} is missing.")
    except NotADirectoryError:
        return [], Fault(f"{folder} is a file, a folder is needed.")
    except OSError as error:
        return [], Fault(f"{folder} cannot be read: {error.strerror or error}.")


def _no_file(
    folder: Path, kind: str, name: str, *, ending: str, files: list[Path], of_model: bool
) -> Fault:
    """Return the fault of a folder without any file of the ending, with what is there instead."""
    purpose = "" if of_model else ": nothing to train on"
    if not files:
        fix = f"name them {name}"
        if kind != "image":
            fix = f"one label image per training case, named {name}"
        inner = sorted(path.name for path in folder.glob("*/"))
        below = f" nnU-Net does not look into {shortened(inner)}." if inner else ""
        return Fault(f"{folder} holds no {kind} *{ending}{purpose}.{below}", f"{fix}.")
    there = counted_endings(files)
    problem = f"{folder} holds no {kind} *{ending}{purpose}; it holds {there}."
    return Fault(problem, _remedy(files, kind, name, ending=ending, of_model=of_model))


def _remedy(files: list[Path], kind: str, name: str, *, ending: str, of_model: bool) -> str:
    there = Counter(ending_of(file.name) for file in files).most_common(1)[0][0]
    if there.lower() == ending.lower():
        return f"rename them to *{ending}; capital letters count."
    if there.lower() not in PICTURES:
        return f"put the {kind.removesuffix(' file')} files there, named {name}."
    convert = f"convert them to {ending}, named {name}; renaming alone does not do it"
    if of_model:
        return f"{convert}: the model was trained on {ending}."
    if there.lower() in LOSSY:
        return f"{convert}, and JPEG, which changes values, is nothing nnU-Net reads."
    return f'{convert}. Or dataset.json: "file_ending": "{there}", for images and labels alike.'


def _channel_faults(folder: Path, ending: str) -> list[Fault]:
    """Return the cases whose channels have other numbers than those of as many files."""
    numbers = {
        case: tuple(channel_of(file, ending) for file in files)
        for case, files in cases_of(folder, ending).items()
    }
    usual: dict[int, tuple[str, ...]] = {}
    for found, _ in Counter(numbers.values()).most_common():
        usual.setdefault(len(found), found)
    odd = [case for case, found in numbers.items() if found != usual[len(found)]]
    if not odd:
        return []
    given, others = numbers[odd[0]], usual[len(numbers[odd[0]])]
    return [
        Fault(
            f"{folder}: the channel numbers differ between cases: {odd[0]} has {', '.join(given)}, "
            f"others have {', '.join(others)}. Such cases: {shortened(odd, SHOWN)}.",
            "give every case the same numbers, one per channel of dataset.json, in its order.",
        )
    ]


def _unpaired(folder: Path, ending: str, labels: set[str], *, cases: set[str]) -> list[Fault]:
    images = folder.parent / "imagesTr"
    faults = []
    if labels - cases:
        names = shortened((case + ending for case in sorted(labels - cases)), SHOWN)
        faults.append(
            Fault(
                f"{images} lacks images of labelled cases: {names}.",
                "add them, or move these labels away: nnU-Net would leave such cases out unsaid.",
            )
        )
    if cases - labels:
        names = shortened((case + ending for case in sorted(cases - labels)), SHOWN)
        faults.append(
            Fault(
                f"{folder} lacks labels of cases with images: {names}.",
                "add them, or move the images of these cases away.",
            )
        )
    return faults
