"""The images to predict, all of them looked at before a network is loaded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nnunet_vit.config.problems import escaped
from nnunet_vit.data.case_files import cases_of, files_of
from nnunet_vit.data.channels import in_order
from nnunet_vit.data.checks.images import ImageFacts, Wanted, look_at_case
from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.checks.sampling import target_of
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.labels import labels_of
from nnunet_vit.data.naming import counted_endings, image_faults, other_images
from nnunet_vit.errors import DataError, ModelError, UserError, counted, shortened
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.large.opening import look_at_large
from nnunet_vit.inference.large.which_images import MASK, LargeImages, clashes, large_images
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter


class Trained(Protocol):
    """A model that predicts: ours, or one of nnU-Net's own."""

    @property
    def path(self) -> Path:
        """The folder."""

    @property
    def plans(self) -> JsonObject:
        """plans.json."""

    @property
    def description(self) -> JsonObject:
        """dataset.json."""

    @property
    def configuration(self) -> JsonObject:
        """The plans of the configuration that was trained."""


@dataclass(frozen=True)
class Inputs:
    """Images to predict.

    Attributes:
        cases: files of sound images in the order of the channels, by case.
        memory: bytes that predicting each case takes at least.
        faulty: files of the others, by case.
        faults: what is wrong with these.
        large: those of the sound cases that are predicted in strips.
    """

    cases: dict[str, list[Path]]
    memory: dict[str, int]
    faulty: dict[str, list[Path]] = field(default_factory=dict)
    faults: dict[str, UserError] = field(default_factory=dict)
    large: tuple[str, ...] = ()

    @property
    def all_cases(self) -> dict[str, list[Path]]:
        """The files of all cases."""
        return self.cases | self.faulty

    def without(self, left_out: Collection[str]) -> "Inputs":
        """Return these without some of the sound cases."""
        cases = {case: files for case, files in self.cases.items() if case not in left_out}
        return replace(self, cases=cases, large=tuple(c for c in self.large if c in cases))

    def mask(self, case: str, ending: str) -> str:
        """Return the name of a case's mask; a large one is a TIFF.

        Args:
            case: one of these.
            ending: of the model's other masks.
        """
        return f"{case}{MASK if case in self.large else ending}"


def sound_inputs(images: Path, model: Trained, progress: Progress) -> Inputs:
    """Return the cases of a folder of images, and what is wrong with those that are damaged.

    Args:
        images: files CASE_0000.ending, one per channel.
        model: what they are for.
        progress: where to say how many files are left out, and to show the look at the others.

    Raises:
        DataError: not one can be predicted: names every file that is damaged or does not fit.
        ModelError: the model's plans are damaged.
    """
    if not images.is_dir():
        raise DataError(f"-i {images} is not a folder.", fix="-i, the folder of images.")
    ending = model.description["file_ending"]
    large = large_images(images)
    cases = _cases(images, ending, large)
    others = [file for file in other_images(images, ending) if file not in large.files]
    if others:
        progress.log(f"Left out of {images}: {counted_endings(others)}; the model takes *{ending}.")
    reader, wanted = _reader(model), _wanted(model)

    def look(case: str) -> ImageFacts | list[FileFault]:
        if case in large.cases:
            return look_at_large(cases[case], wanted, model.plans, model.configuration)
        return look_at_case(cases[case], reader, ending, wanted=wanted)

    progress.start_cases(f"Checking the images of {images}", len(cases))
    looks = in_threads(look, list(cases), lambda: progress.case(""))
    found = dict(zip(cases, looks, strict=True))
    sound = {case: look for case, look in found.items() if isinstance(look, ImageFacts)}
    faults = {case: look for case, look in found.items() if isinstance(look, list)}
    told = grouped(fault for each in faults.values() for fault in each)
    if not sound:
        refuse(f"-i {images}", told)
    if faults:
        progress.log(
            f"{len(faults)} of {counted(len(cases), 'case')} cannot be predicted: "
            f"{shortened(faults)}; the others are."
        )
    return Inputs(
        {case: cases[case] for case in sound},
        {case: facts.memory for case, facts in sound.items()},
        {case: cases[case] for case in faults},
        {case: _error(each) for case, each in faults.items()},
        tuple(case for case in large.cases if case in sound),
    )


def _cases(images: Path, ending: str, large: LargeImages) -> dict[str, list[Path]]:
    """Return the files of all cases; without large ones, one of the model's ending must be there.

    Raises:
        DataError: names are wrong.
    """
    where = f"-i {images}"
    alone = bool(large.cases) and not set(files_of(images, ending)) - large.files
    names = [] if alone else image_faults(images, ending, of_model=True)
    refuse(where, [*large.faults, *names])
    cases = cases_of(images, ending)
    refuse(where, clashes(images, cases, large))
    every = cases | large.cases
    return {case: every[case] for case in sorted(every)}


def _error(faults: Sequence[FileFault]) -> DataError:
    """Return the faults of one case as an error."""
    told = grouped(faults)
    fix = " ".join(dict.fromkeys(fault.fix for fault in told if fault.fix))
    return DataError(escaped(" ".join(fault.problem for fault in told)), escaped(fix))


def _reader(model: Trained) -> "type[BaseReaderWriter]":
    from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

    name = model.plans["image_reader_writer"]
    try:
        return recursive_find_reader_writer_by_name(name)  # type: ignore[no-any-return]
    except RuntimeError as error:
        raise ModelError(
            f"{model.path / 'plans.json'}: image_reader_writer '{name}' is none of this nnU-Net's.",
            fix="install the nnunetv2 that the model was trained with.",
        ) from error


def _wanted(model: Trained) -> Wanted:
    configuration, outputs = model.configuration, labels_of(model.description).foreground
    channels = tuple(in_order(model.description["channel_names"]).values())
    schemes = tuple(configuration["normalization_schemes"])
    target = target_of(
        model.plans, configuration["spacing"], len(channels), outputs=1 + len(outputs)
    )
    return Wanted(channels, schemes, "the model", target)
