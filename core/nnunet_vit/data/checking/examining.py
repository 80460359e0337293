"""Every case of a raw dataset looked at once, in parallel; what has not changed is known."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.data.case_files import Case, cases_of, training_cases
from nnunet_vit.data.checking.keeping import Keeping
from nnunet_vit.data.checking.kept_looks import KeptLooks, State, read_kept, state_of
from nnunet_vit.data.checks.case_look import Look, Seen, Take, look_at
from nnunet_vit.data.checks.detached_data import may_lie_elsewhere, spacings_beside
from nnunet_vit.data.checks.images import DESCRIBED, ImageFacts, Wanted, look_at_case
from nnunet_vit.data.checks.raster_reading import endings, in_threads, reader_for
from nnunet_vit.data.dataset import Dataset, channel_names_in_order
from nnunet_vit.data.labels import labels_of
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.report.progress import Progress

TESTS = "imagesTs"  # nnU-Net's folder of images to predict
DECIDING = (
    "channel_names", "labels", "file_ending", "regions_class_order",
    "overwrite_image_reader_writer",
)  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """What the looks at all cases of a dataset told.

    Attributes:
        dataset: with its raw folder.
        cases: the training cases.
        seen: of each training case.
        tests: of each case in imagesTs, images alone.
        read: how many of them were read for it; the others were known.
    """

    dataset: Dataset
    cases: dict[str, Case]
    seen: dict[str, Seen]
    tests: dict[str, Seen]
    read: int


@dataclass(frozen=True)
class _Known:
    """What is known before a file is read."""

    cases: dict[str, Case]
    tests: dict[str, list[Path]]
    look: Look
    kept: KeptLooks
    states: dict[str, State | None]
    seen: dict[str, Seen]

    @property
    def is_all(self) -> bool:
        """Whether no file has to be read."""
        return len(self.seen) == len(self.states)


def examine(dataset: Dataset, progress: Progress, *, take: Take | None = None) -> Examined:
    """Look at every case of a raw dataset that has changed since it was looked at.

    Args:
        dataset: with its raw folder.
        progress: where to show the cases.
        take: is handed what was read of each training case without faults.
    """
    known = _known(dataset)
    if known.is_all:
        return _examined(dataset, known, known.seen)
    images = [file for case in known.cases.values() for file in case.images]
    reader = reader_for(dataset.description, images, "image")
    look = replace(known.look, reader=reader)
    seen = known.seen if reader.__name__ == known.kept.reader else {}
    works: dict[str, Callable[[], Seen]] = {
        name: partial(look_at, look, name, case, take=take) for name, case in known.cases.items()
    }
    works |= {f"{TESTS}/{name}": partial(_test, look, own) for name, own in known.tests.items()}
    todo = {name: work for name, work in works.items() if name not in seen}
    kept = replace(known.kept, reader=reader.__name__)
    with Keeping(dataset.name, kept, known.states, dict(seen)) as keeping:
        _look_at_all(dataset.name, todo, progress, keeping)
    return _examined(dataset, known, keeping.seen, read=len(todo))


def examined_before(dataset: Dataset) -> Examined | None:
    """Return what earlier looks told where no file has changed since; nothing is read."""
    try:
        known = _known(dataset)
    except OSError:
        return None
    return _examined(dataset, known, known.seen) if known.is_all else None


def _known(dataset: Dataset) -> _Known:
    assert dataset.raw is not None
    cases = training_cases(dataset.raw, dataset.description)
    tests = _tests(dataset.raw, dataset.description)
    look = _look(dataset).of(cases)
    files = {name: [*case.images, case.label] for name, case in cases.items()}
    files |= {f"{TESTS}/{name}": images for name, images in tests.items()}
    kept = read_kept(dataset.name, _context(dataset, look))
    states = {name: _state(own, look.ending) for name, own in files.items()}
    return _Known(cases, tests, look, kept, states, kept.unchanged(states))


def _examined(
    dataset: Dataset, known: _Known, seen: Mapping[str, Seen], *, read: int = 0
) -> Examined:
    training = {name: seen[name] for name in known.cases}
    tests = {name: seen[f"{TESTS}/{name}"] for name in known.tests}
    return Examined(dataset, known.cases, training, tests, read)


def _look_at_all(
    name: str, works: Mapping[str, Callable[[], Seen]], progress: Progress, keeping: Keeping
) -> None:
    def shown(case: str) -> None:
        keeping.seen[case] = works[case]()
        progress.case(case)

    progress.start_cases(f"Checking the files of {name}", len(works))
    try:
        in_threads(shown, list(works), keeping.keep_at_times)
    finally:
        progress.close()


def _look(dataset: Dataset) -> Look:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    return Look(
        reader=BaseReaderWriter,  # chosen where files are read
        ending=dataset.description["file_ending"],
        wanted=Wanted(
            tuple(channel_names_in_order(dataset.description)),
            tuple(dataset.normalization_schemes()),
            DESCRIBED,
            measures=True,
        ),
        labels=labels_of(dataset.description),
        listed="dataset" in dataset.description,
    )


def _test(look: Look, files: Sequence[Path]) -> Seen:
    image = look_at_case(files, look.reader, look.ending, wanted=look.wanted)
    if isinstance(image, ImageFacts):
        return Seen(image, None, ())
    return Seen(None, None, tuple(image))


def _tests(raw: Path, description: JsonMapping) -> dict[str, list[Path]]:
    try:
        return cases_of(raw / TESTS, description["file_ending"])
    except OSError:  # most datasets have none
        return {}


def _context(dataset: Dataset, look: Look) -> JsonObject:
    assert dataset.raw is not None
    described = dataset.description
    own = {key: described.get(key) for key in DECIDING}
    ordered = [list(map(list, described[key].items())) for key in ("channel_names", "labels")]
    return {
        "nnunet_vit": __version__, "nnunetv2": version("nnunetv2"),
        "raw": os.path.abspath(dataset.raw), "described": own, "ordered": ordered,
        "numbers": list(look.numbers),
    }  # fmt: skip


def _state(files: Sequence[Path], ending: str) -> State | None:
    """Return the state of a case's files, with those that nnU-Net reads beside them."""
    if ending.lower() not in endings():  # a reader of somebody's own may read anything
        return None
    try:
        if any(may_lie_elsewhere(file, ending.lower()) for file in files):
            return None  # other files may change, unseen
    except OSError:
        return None
    return state_of([*files, *spacings_beside(files, ending)])
