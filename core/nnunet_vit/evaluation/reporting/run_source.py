"""Where a run's results, model and images lie, from whichever of its folders was named."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FOLD, VALIDATION
from nnunet_vit.checkpoints.merged_validations import folds_merged_in
from nnunet_vit.data.case_files import cases_of, training_cases
from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.data.preprocessing.truth import TRUTH
from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.evaluation.comparing.compare import found_references, pairs_of
from nnunet_vit.evaluation.comparing.run_results import RunResults, check_folder, read_results
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.files.json_file import JsonObject

RUN_FILE = "run.yaml"  # in a fold's folder, where vit_cli has trained it
OF_TESTS = {"labelsTr": "imagesTr", "labelsTs": "imagesTs"}


@dataclass(frozen=True, eq=False)  # cached properties are kept beside the fields
class RunSource:
    """A run as it lies on the disk.

    Attributes:
        given: the path that was named.
        results: its masks.
        references: folder of true masks.
        model: the folder with plans and folds; None: masks alone.
        folds: whose masks they are; none: not known.
    """

    given: Path
    results: RunResults
    references: Path
    model: Path | None
    folds: tuple[int, ...]

    @cached_property
    def pairs(self) -> list[Pair]:
        """Each mask with its reference."""
        return pairs_of(self.results, self.references)

    @property
    def plans(self) -> JsonObject:
        """plans.json."""
        return self.results.task.plans

    def fold_folders(self) -> list[Path]:
        """Return the folders of the folds."""
        return [self.model / f"fold_{fold}" for fold in self.folds] if self.model else []

    def folds_of_cases(self) -> dict[str, str]:
        """Return the fold that predicted each case, where that is known."""
        found = {}
        for case, mask in self.results.masks.items():
            for folder in self.fold_folders():
                if (folder / VALIDATION / mask.name).is_file():
                    found[case] = folder.name.removeprefix("fold_")
        return found

    def images(self, given: Path | None) -> dict[str, Path]:
        """Return the file of each case's first channel; empty: nobody knows where they lie.

        Args:
            given: a folder of images; None: those of the raw dataset that the run was trained on.
        """
        task = self.results.task
        if given is not None:
            return {case: files[0] for case, files in cases_of(given, task.ending).items()}
        beside = OF_TESTS.get(self.references.name)
        folders = [self.references.with_name(beside)] if beside else []
        for raw in self._raw_datasets():
            with contextlib.suppress(OSError):
                cases = training_cases(raw, task.description)
                if cases:
                    return {case: files.images[0] for case, files in cases.items()}
        for folder in folders:
            with contextlib.suppress(OSError):
                return {case: files[0] for case, files in cases_of(folder, task.ending).items()}
        return {}

    def image_folders(self) -> list[Path]:
        """Return where the images are looked for if nobody names their folder."""
        folders = [raw / "imagesTr" for raw in self._raw_datasets()]
        if beside := OF_TESTS.get(self.references.name):
            folders.append(self.references.with_name(beside))
        return list(dict.fromkeys(folders))

    def _raw_datasets(self) -> list[Path]:
        """Return where a dataset may lie that the references are surely of.

        Other references may be of other images, whose cases have the same names.
        """
        if self.references.name in OF_TESTS:
            return [self.references.parent] if self.references.name == "labelsTr" else []
        of_planning = self.references.name == TRUTH and not self.folds
        known = None if of_planning else self.plans.get("dataset_name")
        dataset = str(known or self.references.parent.name)
        places = [*self._paths_of_run(), os.environ.get("nnUNet_raw")]
        found = [Path(place) / dataset for place in places if place]
        if of_planning or self.folds:  # what a model has validated on are its own cases
            return found
        truth = self.references.resolve()
        return [folder for folder in found if (folder / "labelsTr").resolve() == truth]

    def _paths_of_run(self) -> list[str]:
        """Return paths.raw of the folds' run files."""
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        found = []
        for folder in self.fold_folders():
            with contextlib.suppress(OSError, YAMLError, LookupError, TypeError):
                content = YAML(typ="safe", pure=True).load(folder / RUN_FILE)
                found.append(str(content["paths"]["raw"] or ""))
        return found


def open_source(path: Path, folds: Sequence[int] | None, references: Path | None) -> RunSource:
    """Return a run's source.

    Args:
        path: a model folder or a fold's, ours or nnU-Net's, merged validations, or masks.
        folds: of a model folder; None: all that are validated.
        references: folder of true masks; None: the one that the run was validated against.

    Raises:
        ConfigError: folds of something that has none.
        DataError: it is no folder, or none of these, or no references are known.
        ModelError: a fold is not validated.
    """
    check_folder(path)
    absolute = path.absolute()
    fold = absolute.parent if absolute.name == VALIDATION else absolute
    merged = folds_merged_in(path)
    of_fold = bool(FOLD.fullmatch(fold.name)) and _is_model(fold.parent)
    if folds and (merged or of_fold):
        raise ConfigError(f"--folds goes with a model folder; {path} is one of its parts.")
    if of_fold:
        if fold.name == "fold_all":
            raise ModelError(
                f"{path} is of fold all, which has trained on every case: its validation says "
                "nothing of new images.",
                fix="a numbered fold, or masks of other images.",
            )
        truth = references or found_references([fold / VALIDATION])
        results = read_results(fold.parent, [int(fold.name[5:])], truth)
        return RunSource(path, results, truth, fold.parent, results.folds)
    truth = references or found_references([path])
    results = read_results(path, folds, truth)
    if merged:
        model = absolute.parent if _is_model(absolute.parent) else None
        return RunSource(path, results, truth, model, merged if model else ())
    return RunSource(path, results, truth, absolute if results.folds else None, results.folds)


def _is_model(folder: Path) -> bool:
    return all((folder / name).is_file() for name in MODEL_FILES)
