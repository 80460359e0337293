"""The cases that a run does worse than the first one, as pictures of both, one above the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import counted, shortened
from nnunet_vit.evaluation.comparing.comparison import Comparison
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.evaluation.overlays import legend_of, readers_of, views_of
from nnunet_vit.quantities import decimal_text
from nnunet_vit.report.letters import letter
from nnunet_vit.report.overlay import picture_of, titled_view
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.evaluation.overlays import Readers
    from nnunet_vit.files.array_type import Array

MOST = 10  # cases of each run
FOLDER = "worse"


@dataclass(frozen=True)
class WorseCase:
    """A case that got worse.

    Attributes:
        name: of the case.
        change: of the first metric, of a run minus the first run's.
    """

    name: str
    change: float


def worse_cases(comparison: Comparison, run: int) -> list[WorseCase]:
    """Return the cases that a run does worse than the first, by the first metric; worst first."""
    metric, name = comparison.metrics[0], comparison.classes[-1]  # the mean of several classes
    first, other = (comparison.values(number, metric, name) for number in (0, run))
    changes = {case: other[case] - value for case, value in first.items()}
    sign = -1 if metric.lower_is_better else 1
    worse = sorted((sign * change, case) for case, change in changes.items() if sign * change < 0)
    return [WorseCase(case, sign * change) for change, case in worse]


def write_worse_cases(
    comparison: Comparison,
    references: Path,
    images: Mapping[str, Path],
    folder: Path,
    *,
    progress: Progress,
) -> None:
    """Write a picture per case that got worse: the first run's above, the other one's below.

    Args:
        comparison: of runs whose masks have been checked.
        references: folder of true masks.
        images: the file of each case's first channel.
        folder: below which they go: worse/B/01_CASE_dice-0.31.png.
        progress: where to show what happens.
    """
    worse = {run: worse_cases(comparison, run) for run in range(1, len(comparison.runs))}
    runs = {run: cases[:MOST] for run, cases in worse.items()}
    if any(runs.values()):
        progress.start_cases("Drawing the cases that got worse", sum(map(len, runs.values())))
    lacking: list[str] = []
    for run, cases in runs.items():
        place = folder / FOLDER / letter(run)
        for earlier in place.glob("[0-9][0-9]_*.png"):  # of another comparison
            earlier.unlink()
        drawing = _Drawing(comparison, run, references, images)
        for number, case in enumerate(cases, 1):
            if not drawing.write(case, number, place):
                lacking.append(case.name)
            progress.case(case.name)
    progress.close()
    for run, cases in worse.items():
        drawn = f"the worst {MOST} are" if len(cases) > MOST else "drawn"
        where = f"; {drawn} in {folder / FOLDER / letter(run)}" if cases else ""
        found = counted(len(cases), "case") if cases else "no case"
        progress.log(f"{letter(run)} is worse than {letter(0)} in {found}{where}")
    if lacking:
        progress.warn(f"No picture of {shortened(lacking)}: there is no image that fits.")


@dataclass(frozen=True)
class _Drawing:
    """Draws cases of the first run and of another one."""

    comparison: Comparison
    run: int
    references: Path
    images: Mapping[str, Path]

    def write(self, case: WorseCase, number: int, folder: Path) -> bool:
        """Write a case's picture; tell whether there was an image for it."""
        from skimage import io  # type: ignore[attr-defined]

        picture = self._picture(case.name) if case.name in self.images else None
        if picture is None:
            return False
        folder.mkdir(parents=True, exist_ok=True)
        metric = self.comparison.metrics[0].name
        change = decimal_text(case.change, 2, signed=True)
        name = f"{number:02d}_{case.name}_{metric}{change}.png"
        io.imsave(folder / name, picture, check_contrast=False)
        return True

    def _picture(self, case: str) -> "Array | None":
        import numpy as np

        task, runs = self.comparison.runs[0].task, self.comparison.runs
        pair, first = (
            Pair(runs[number].masks[case], self.references / f"{case}{task.ending}")
            for number in (self.run, 0)
        )
        image = self.images[case]
        readers = readers_of(task, [pair], [image])
        views = views_of(image, pair, readers, ending=task.ending, labels=task.labels)
        if isinstance(views, FileFault):
            return None
        earlier = _plane(first.prediction, readers, task.ending, place=views.plane)
        legend = legend_of(task.labels)
        rows = [
            titled_view(
                picture_of(views.image, views.reference, mask, legend=legend, place=views.place),
                f"{letter(number)}: {self.comparison.names[number]}",
            )
            for number, mask in ((0, earlier), (self.run, views.prediction))
        ]
        return np.concatenate(rows, axis=0)


def _plane(file: Path, readers: "Readers", ending: str, *, place: Sequence[int]) -> "Array":
    """Return the plane of a mask that has been checked."""
    axis, index = place
    mask = read_mask(file, readers[1], ending)
    assert isinstance(mask, Raster)
    plane: Array = mask.values[0].take(index, axis=axis).astype(int)
    return plane
