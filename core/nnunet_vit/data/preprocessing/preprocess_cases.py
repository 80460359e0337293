"""nnU-Net's preprocessing of each case, in this process; a case is there whole or not at all."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.read_cases import Pixels
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

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

    def make(self, case: str, files: Sequence[Path], pixels: Pixels | None) -> None:
        """Preprocess a case and put it into its folder.

        Args:
            case: its name.
            files: images in the order of the channels, and the label.
            pixels: what is in them where it is known; None: they are read.
        """
        from nnunet_vit.data.preprocessing.case_reader import PlansOfReadCase

        manager = PlansOfReadCase(self.plans, pixels) if pixels else _plans_alone(self.plans)
        configuration = manager.get_configuration(self.configuration)
        *images, label = map(str, files)
        making = self.target.path / MAKING / case
        making.mkdir(parents=True, exist_ok=True)
        configuration.preprocessor_class(verbose=False).run_case_save(
            str(making / case), images, label, manager, configuration, self.description
        )
        # a case's properties come last: they make it one that is there
        for file in sorted(making.iterdir(), key=lambda file: file.suffix == ".pkl"):
            file.replace(self.target.path / file.name)
        making.rmdir()

    def clear_up(self) -> None:
        """Delete what an interrupted work has left of cases that are not whole."""
        shutil.rmtree(self.target.path / MAKING, ignore_errors=True)


def _plans_alone(plans: JsonObject) -> "PlansManager":
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    return PlansManager(plans)
