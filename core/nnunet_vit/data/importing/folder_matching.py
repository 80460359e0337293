"""Cases of folders: images and masks that belong together by their names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.importing.channel_names import channel_faults, numbers_are_channels
from nnunet_vit.data.importing.name_patterns import Named, by_number, by_pattern, by_stem
from nnunet_vit.data.importing.source_cases import Part, SourceCase, SourceCases, class_faults
from nnunet_vit.data.importing.source_folders import entries_of, folder_faults, left_out
from nnunet_vit.data.importing.unmatched_names import unmatched
from nnunet_vit.data.naming import SHOWN
from nnunet_vit.errors import ConfigError, shortened


@dataclass(frozen=True)
class Folders:
    """The folders to import.

    Attributes:
        images: of training.
        masks: by class where each class has a folder, else one with the name ''.
        test_images: None: there are none.
        test_masks: likewise, as `masks`.
        pattern: of the names of images, with a group `case`; empty: by stem.
        mask_pattern: of the names of masks.
        missing_is_empty: whether a case lacks the mask of a class because it has none of it.
    """

    images: Path
    masks: Mapping[str, Path]
    test_images: Path | None = None
    test_masks: Mapping[str, Path] = field(default_factory=dict)
    pattern: str = ""
    mask_pattern: str = ""
    missing_is_empty: bool = False


def folders_said(texts: Sequence[str], option: str) -> dict[str, Path]:
    """Return the folders of masks by class: one with the name '', or NAME=FOLDER each.

    Raises:
        ConfigError: folders with and without a name are mixed, or a name is there twice.
    """
    pairs = [("", text) if Path(text).is_dir() else _pair(text) for text in texts]
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names) or ("" in names and len(names) > 1):
        raise ConfigError(
            f"{option} {' '.join(texts)}: several folders need a name each.",
            fix=f"{option} NAME=FOLDER NAME=FOLDER …",
        )
    return {name: Path(folder) for name, folder in pairs}


def _pair(text: str) -> tuple[str, str]:
    name, is_pair, folder = text.partition("=")
    return (name, folder) if is_pair else ("", text)


def cases_of_folders(folders: Folders) -> SourceCases:
    """Return the cases of folders.

    Raises:
        DataError: a folder is missing or empty, or files do not belong together; all are named.
    """
    parts: list[tuple[Part, Path, Mapping[str, Path]]] = [("Tr", folders.images, folders.masks)]
    if folders.test_images is not None:
        parts.append(("Ts", folders.test_images, folders.test_masks))
    given = f"--images {folders.images}"
    listed = [folder for _, images, masks in parts for folder in (images, *masks.values())]
    refuse(given, [fault for folder in listed for fault in folder_faults(folder)])
    cases: list[SourceCase] = []
    faults: list[Fault] = []
    images_of: list[Mapping[str, list[Named]]] = []
    numbers: bool | None = None  # whether they are channels: as training images have it
    for part, images, masks in parts:
        mask_files, wrong = _named_masks(folders, images, masks)
        if numbers is None:
            masked = {each.case for each in mask_files}
            numbers = numbers_are_channels(entries_of(images), masked)
        image_files, missed = _named_images(entries_of(images), folders.pattern, numbers)
        taken = {each.file for each in mask_files}  # images and masks may lie in one folder
        wrong += _missed(images, [path for path in missed if path not in taken], "--pattern")
        by_case, own = _by_case(image_files), _by_case(mask_files)
        wrong += _doubled(by_case, "image") + _doubled(own, "mask")
        if masks and not wrong:
            wrong += unmatched(images, masks, by_case, own=own)
            wrong += _incomplete(own, folders)
        images_of.append(by_case)
        cases += _cases(by_case, own, part)
        faults += wrong
    by_class = dict.fromkeys(name for case in cases for name in case.masks if name)
    order = [*folders.masks, *sorted(by_class)] if by_class else []
    classes = tuple(dict.fromkeys(name for name in order if name))
    refuse(given, [*class_faults(classes, cases), *(faults or channel_faults(images_of))])
    ordered = tuple(sorted(cases, key=lambda case: (case.part, case.name)))
    return SourceCases(given, ordered, classes, notices=tuple(left_out(listed)))


def _by_case(files: Iterable[Named]) -> dict[str, list[Named]]:
    found: dict[str, list[Named]] = {}
    for each in files:
        found.setdefault(each.case, []).append(each)
    return found


def _cases(
    images: Mapping[str, Sequence[Named]], masks: Mapping[str, Sequence[Named]], part: Part
) -> Iterator[SourceCase]:
    for name, files in images.items():
        ordered = sorted(files, key=lambda each: each.channel)
        of_classes = {each.label: each.file for each in masks.get(name, [])}
        yield SourceCase(name, tuple(each.file for each in ordered), of_classes, part)


def _named_masks(
    folders: Folders, images: Path, masks: Mapping[str, Path]
) -> tuple[list[Named], list[Fault]]:
    found: list[Named] = []
    faults: list[Fault] = []
    for label, folder in masks.items():
        missed = []
        for path in entries_of(folder):
            pattern = folders.mask_pattern
            named = by_pattern(path, pattern) if pattern else by_stem(path)
            is_image = folder == images and folders.pattern and by_pattern(path, folders.pattern)
            if named is None:
                missed += [] if is_image else [path]
            else:
                found.append(Named(named.case, "", label or named.label, path))
        faults += _missed(folder, missed, "--mask-pattern")
    return found, faults


def _named_images(
    files: Sequence[Path], pattern: str, numbers: bool
) -> tuple[list[Named], list[Path]]:
    """Return what the names of images say, and those that say nothing."""
    if pattern:
        found = [by_pattern(path, pattern) for path in files]
    elif numbers and all(map(by_number, files)):
        found = [by_number(path) for path in files]
    else:
        found = [by_stem(path) for path in files]
    missed = [path for path, each in zip(files, found, strict=True) if each is None]
    return [each for each in found if each is not None], missed


def _missed(folder: Path, files: Sequence[Path], option: str) -> list[Fault]:
    if not files:
        return []
    names = shortened((path.name for path in files), SHOWN)
    return [Fault(f"{folder}: {option} finds no case in {names}.", "a pattern that fits all.")]


def _doubled(by_case: Mapping[str, Sequence[Named]], kind: str) -> list[Fault]:
    faults = []
    for case, files in by_case.items():
        if len({(each.channel, each.label) for each in files}) < len(files):
            names = shortened((str(each.file) for each in files), SHOWN)
            faults.append(
                Fault(
                    f"Case '{case}' has {len(files)} {kind}s: {names}.",
                    "a pattern that keeps more of the name; (?P<channel>…) where these are "
                    "channels, (?P<label>…) where they are masks of classes.",
                )
            )
    return faults


def _incomplete(own: Mapping[str, Sequence[Named]], folders: Folders) -> list[Fault]:
    """Return the classes that cases have no mask of."""
    classes = dict.fromkeys(each.label for files in own.values() for each in files if each.label)
    if folders.missing_is_empty:
        return []
    faults = []
    for name in classes:
        lacking = [c for c, files in own.items() if name not in {each.label for each in files}]
        if lacking:
            faults.append(
                Fault(
                    f"No mask of {name} for {shortened(lacking, SHOWN)}.",
                    "add them; --missing-is-empty where these cases have nothing of it.",
                )
            )
    return faults
