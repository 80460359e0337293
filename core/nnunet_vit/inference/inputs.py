"""The images to predict, all of them looked at before a network is loaded."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nnunet_vit.config.problems import escaped
from nnunet_vit.data.channels import in_order
from nnunet_vit.data.checks.images import ImageFacts, Wanted, look_at_case
from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.checks.sampling import target_of
from nnunet_vit.data.checks.stored_pixels import told_once
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import DataError, ModelError, UserError, counted, shortened
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.images.asked import asked_for
from nnunet_vit.inference.images.asked_cases import AskedCases
from nnunet_vit.inference.images.image_formats import Formats, foreign_notices, formats_of
from nnunet_vit.inference.large.opening import look_at_large
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

# of the shape (Z, Y, X) of an image: a problem and a remedy, both empty where there is none
Misfit = Callable[[Sequence[int]], tuple[str, str]]


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
        readers: of sound images; none: nnU-Net's own, as the model's plans name it.
        large: those of the sound cases that are predicted in strips.
    """

    cases: dict[str, list[Path]]
    memory: dict[str, int]
    faulty: dict[str, list[Path]] = field(default_factory=dict)
    faults: dict[str, UserError] = field(default_factory=dict)
    readers: "dict[str, type[BaseReaderWriter]]" = field(default_factory=dict)
    large: tuple[str, ...] = ()

    @property
    def all_cases(self) -> dict[str, list[Path]]:
        """The files of all cases."""
        return self.cases | self.faulty

    def without(self, left_out: Collection[str]) -> "Inputs":
        """Return these without some of the sound cases."""
        cases = {case: files for case, files in self.cases.items() if case not in left_out}
        return replace(self, cases=cases, large=tuple(c for c in self.large if c in cases))


def sound_inputs(
    images: Path | Sequence[Path],
    model: Trained,
    progress: Progress,
    *,
    misfit: Misfit | None = None,
) -> Inputs:
    """Return the cases to predict, and what is wrong with those that are damaged.

    Args:
        images: a folder of CASE_0000.ending, a list of images, a table of cases, or images.
        model: what they are for.
        progress: where to say what is left out or read as another format, and to show the look.
        misfit: returns why an image of a shape (Z, Y, X) does not suit what is asked for, and what
            to do; or nothing. None: all suit.

    Raises:
        DataError: not one can be predicted: names every file that is damaged or does not fit.
        ModelError: the model's plans are damaged.
    """
    ending, wanted = str(model.description["file_ending"]), _wanted(model)
    formats = formats_of(model.plans, _reader(model), ending, wanted.channels)
    given = [images] if isinstance(images, Path) else images
    asked = asked_for(given, formats, wanted.channels)
    large, names = asked.large, list(asked.cases)
    usual = [files for case, files in asked.cases.items() if case not in large]
    for notice in (*asked.notices, *foreign_notices(usual, ending)):
        progress.log(notice)
    source = asked.source.removeprefix("-i").strip()
    progress.start_cases(f"Checking the images{' of ' * bool(source)}{source}", len(names))

    def look(case: str) -> ImageFacts | list[FileFault]:
        if case in large:
            return look_at_large(asked.cases[case], wanted, model.plans, model.configuration)
        return _suited(_look(case, asked, formats, wanted), misfit)

    looks = in_threads(look, names, lambda: progress.case(""))
    found = dict(zip(names, looks, strict=True))
    sound = {case: look for case, look in found.items() if isinstance(look, ImageFacts)}
    faults = {case: look for case, look in found.items() if isinstance(look, list)}
    if not sound:
        refuse(asked.source, grouped(fault for each in faults.values() for fault in each))
    small = [case for case in sound if case not in large]
    for notice in _seen(faults, [asked.cases[case] for case in small], formats, cases=len(names)):
        progress.log(notice)
    return Inputs(
        {case: asked.cases[case] for case in sound},
        {case: facts.memory for case, facts in sound.items()},
        {case: asked.cases[case] for case in faults},
        {case: _error(each) for case, each in faults.items()},
        {case: formats.reader_of(asked.cases[case]) for case in small},
        tuple(case for case in sound if case in large),
    )


def _suited(
    found: ImageFacts | list[FileFault], misfit: Misfit | None
) -> ImageFacts | list[FileFault]:
    if misfit is None or not isinstance(found, ImageFacts):
        return found
    problem, remedy = misfit(found.shape)
    return [FileFault(found.files[0], problem, remedy)] if problem else found


def _seen(
    faults: Collection[str], small: Iterable[Sequence[Path]], formats: Formats, *, cases: int
) -> Iterator[str]:
    """Yield what is to be said after a look at all images.

    Args:
        faults: cases that cannot be predicted.
        small: files of the others, without large images.
        formats: that the model takes.
        cases: how many there are.
    """
    if faults:
        told = f"{len(faults)} of {counted(cases, 'case')} cannot be predicted"
        yield f"{told}: {shortened(faults)}; the others are."
    if formats.of_pictures:
        yield from told_once((file for files in small for file in files), formats.ending)


def _look(
    case: str, asked: AskedCases, formats: Formats, wanted: Wanted
) -> ImageFacts | list[FileFault]:
    """Return what a case's images are, or what is wrong with them."""
    files = asked.cases[case]
    faults = [fault for file in files if (fault := formats.fault(file, asked.named.get(case, "")))]
    others = {formats.ending_of(file).lower() for file in files}
    if not faults and len({formats.readers[each] for each in others}) > 1:
        problem = f"is one of a case whose channels are {' and '.join(sorted(others))}"
        faults = [FileFault(files[0], problem, "save all channels of a case in one format")]
    if faults:
        return faults
    reader, own = formats.reader_of(files), formats.ending_of(files[0])
    return look_at_case(files, reader, own, wanted=wanted)


def _error(faults: Sequence[FileFault]) -> DataError:
    """Return the faults of one case as an error; files with different remedies are named there."""
    told, remedies = grouped(faults), {fault.remedy for fault in faults}
    named = (f"{fault.file.name}: {fault.remedy}" for fault in faults if fault.remedy)
    fix = f"{'; '.join(named)}." if len(remedies) > 1 else told[0].fix
    return DataError(escaped(" ".join(fault.problem for fault in told)), escaped(fix))


def _reader(model: Trained) -> "type[BaseReaderWriter]":
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter
    from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

    name = model.plans["image_reader_writer"]
    with contextlib.suppress(RuntimeError):  # nnU-Net's: nothing is called so
        found = recursive_find_reader_writer_by_name(name)
        # its modules hold other things too: what they import
        if isinstance(found, type) and issubclass(found, BaseReaderWriter):
            return found
    raise ModelError(
        f"{model.path / 'plans.json'}: image_reader_writer '{name}' is none of this nnU-Net's.",
        fix="install the nnunetv2 that the model was trained with.",
    )


def _wanted(model: Trained) -> Wanted:
    configuration, outputs = model.configuration, labels_of(model.description).foreground
    channels = tuple(in_order(model.description["channel_names"]).values())
    schemes = tuple(configuration["normalization_schemes"])
    target = target_of(
        model.plans, configuration["spacing"], len(channels), outputs=1 + len(outputs)
    )
    return Wanted(channels, schemes, "the model", target)
