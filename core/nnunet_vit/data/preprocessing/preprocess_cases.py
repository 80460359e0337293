"""nnU-Net's preprocessing of each case, in this process; a case is there whole or not at all."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.raw_files import CHANGED, STILL, FileState, are_untouched
from nnunet_vit.data.preprocessing.read_cases import Pixels
from nnunet_vit.errors import DataError, MachineError
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

FULL = 2**26  # bytes; with less a disk is full
MAKING = ".making"  # in the folder of preprocessed cases: those that are not whole yet


@dataclass(frozen=True)
class CaseMaker:
    """Preprocesses cases by plans.

    Attributes:
        plans: of the dataset.
        configuration: one of theirs.
        description: dataset.json.
        target: the folder of the preprocessed cases.
    """

    plans: JsonObject
    configuration: str
    description: JsonObject
    target: DataFolder

    def make(
        self, case: str, files: Sequence[Path], states: Sequence[FileState], pixels: Pixels | None
    ) -> None:
        """Preprocess a case and put it into its folder.

        Args:
            case: its name.
            files: images in the order of the channels, and the label.
            states: of these files, which they have to be in afterwards too.
            pixels: what is in them where it is known; None: they are read.

        Raises:
            DataError: the files have changed meanwhile.
            MachineError: the disk is full.
        """
        making = self.target.path / MAKING / case
        making.mkdir(parents=True, exist_ok=True)
        try:
            self._save(str(making / case), files, pixels)
        except Exception as error:
            if shutil.disk_usage(making).free < FULL:  # blosc2 does not say why
                raise MachineError(
                    f"{self.target.path}: the disk is full.", fix="free some space."
                ) from error
            raise
        if not are_untouched(states, files):
            raise DataError(CHANGED, STILL)
        # a case's properties come last: they make it one that is there
        for file in sorted(making.iterdir(), key=lambda file: file.suffix == ".pkl"):
            file.replace(self.target.path / file.name)
        making.rmdir()

    def _save(self, place: str, files: Sequence[Path], pixels: Pixels | None) -> None:
        from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor

        from nnunet_vit.data.preprocessing.case_reader import PlansOfReadCase

        manager = _plans_alone(self.plans)
        preprocessor = manager.get_configuration(self.configuration).preprocessor_class
        if preprocessor.run is not DefaultPreprocessor.run:
            raise DataError(
                f"{preprocessor.__name__}, which the plans name, preprocesses whole datasets.",
                fix="let nnUNetv2_preprocess do it: `vit_cli train` takes what is there.",
            )
        if pixels is not None and preprocessor is DefaultPreprocessor:  # another one may read more
            manager = PlansOfReadCase(self.plans, pixels)
        configuration = manager.get_configuration(self.configuration)
        *images, label = map(str, files)
        try:
            preprocessor(verbose=False).run_case_save(
                place, images, label, manager, configuration, self.description
            )
        finally:
            if isinstance(manager, PlansOfReadCase):
                manager.forget()  # nnU-Net's cache of configurations holds it

    def clear_up(self) -> None:
        """Delete what an interrupted work has left of cases that are not whole."""
        shutil.rmtree(self.target.path / MAKING, ignore_errors=True)


def _plans_alone(plans: JsonObject) -> "PlansManager":
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    return PlansManager(plans)
