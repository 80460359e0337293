"""From the paths of runs to the page that shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.comparing.compare import patients_of
from nnunet_vit.evaluation.reporting.comparison_rows import compared_runs
from nnunet_vit.evaluation.reporting.home_folder import command_text
from nnunet_vit.evaluation.reporting.own_page import check_output
from nnunet_vit.evaluation.reporting.report_page import VERB, page_text
from nnunet_vit.evaluation.reporting.run_section import run_section
from nnunet_vit.evaluation.reporting.run_source import RunSource, open_source
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.files.writing import write_text
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.letters import letter
from nnunet_vit.report.progress import Progress

WORST = 10  # cases with pictures at either end
SAID = 3  # reasons why a case has no picture


@dataclass(frozen=True)
class ReportRequest:
    """What a person wants a page of.

    Attributes:
        runs: model folders or folds of them, ours or nnU-Net's, or folders of masks.
        output: the file to write.
        references: folder of true masks; None: that of the validation.
        images: folder of images; None: the raw dataset's, where that is known.
        folds: of model folders; None: all that are validated.
        metrics: what to measure besides Dice; None: what is usual.
        patients: finds the patient in a case's name, as in `compare_runs`.
        most: cases with pictures at either end.
    """

    runs: Sequence[Path]
    output: Path
    references: Path | None = None
    images: Path | None = None
    folds: Sequence[int] | None = None
    metrics: Sequence[str] | None = None
    patients: str | None = None
    most: int = WORST

    @property
    def command(self) -> str:
        """The command that makes the page again."""
        return command_text(["vit_cli", "report", *map(str, self.runs), *self._options()])

    def _options(self) -> Iterator[str]:
        yield from ("-o", str(self.output))
        for option, place in (("-r", self.references), ("-i", self.images)):
            yield from (option, str(place)) if place else ()
        for option, values in (("--folds", self.folds), ("--metrics", self.metrics)):
            yield from (option, *map(str, values)) if values else ()
        yield from ("--patients", self.patients) if self.patients else ()
        yield from ("--worst", str(self.most)) if self.most != WORST else ()


def write_report(request: ReportRequest, progress: Progress) -> int:
    """Measure the runs, write their page and return its size in bytes.

    Raises:
        ConfigError: an option cannot be.
        DataError: masks are not what they seem, or references are not known.
        MachineError: the page cannot be written.
        ModelError: a fold is not validated.
    """
    use_processors()
    check_output(request.output, "--output", VERB)
    if request.images is not None and not request.images.is_dir():
        raise ConfigError(f"--images {request.images} is not a folder.", fix="the images' folder.")
    wanted = Wanted(("dice", *request.metrics) if request.metrics else ())
    wanted.chosen(progress.warn)  # a wrong name is told before any file is read
    sources = [open_source(run, request.folds, request.references) for run in request.runs]
    groups = [
        patients_of(source.results.masks, request.patients, source.references.parent)
        for source in sources
    ]
    several, images = len(sources) > 1, _images(sources, request.images)
    sections = [
        run_section(
            source, wanted, progress, name=f"run-{number + 1}",
            letter=letter(number) if several else "", images=images[number], most=request.most,
        )
        for number, source in enumerate(sources)
    ]  # fmt: skip
    compared = None
    if several:
        results = [source.results for source in sources]
        measurements = [section.measurement for section in sections]
        compared = compared_runs(results, measurements, groups[0])
    text = page_text(sections, compared, request.command)
    write_text(text, request.output)
    for source, section in zip(sources, sections, strict=True):
        for lacking in section.shown.lacking[:SAID]:
            progress.warn(f"{source.given}: not shown as pictures: {lacking}")
    return len(text.encode())


def _images(sources: Sequence[RunSource], given: Path | None) -> list[dict[str, Path]]:
    """Return each run's images; of runs with the same references, one may know for all.

    Raises:
        ConfigError: a folder was named that has none of any run's.
    """
    found = [source.images(given) for source in sources]
    cases = [images.keys() & s.results.masks for images, s in zip(found, sources, strict=True)]
    if given is not None and not any(cases):
        results = sources[0].results
        file = f"{next(iter(results.masks))}_0000{results.task.ending}"
        raise ConfigError(
            f"--images {given} holds no image of any case, such as {file}.",
            fix="the folder of the images that were predicted.",
        )
    places = [source.references.resolve() for source in sources]
    known = {place: images for place, images in zip(places, found, strict=True) if images}
    return [images or known.get(place, {}) for place, images in zip(places, found, strict=True)]
