"""Plans of folds that are trained: their results hold them, wherever the plan itself was kept."""

import json
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.nnunet.folders import folder
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.planning.kept_plans import KeptPlan
from nnunet_vit.planning.reasons import Planned
from nnunet_vit.training.run_identity import TRAINER


@dataclass(frozen=True)
class TrainedPlan:
    """What was planned for a run that has results.

    Attributes:
        folder: nnU-Net's folder of the run's models.
        plan: of the run; the memory that it was made for is not known.
    """

    folder: Path
    plan: KeptPlan


def trained_plans(dataset: Dataset, run: ViTnnUNetConfig, keys: Set[str]) -> Iterator[TrainedPlan]:
    """Yield what results of a run's network have in place of the keys that it leaves open.

    Results without a value for each of them were never planned so. Whether they are of the same
    run, their name tells.

    Args:
        dataset: that is trained on.
        run: as it was given, resolved.
        keys: that it leaves to the planner.
    """
    pattern = f"{TRAINER}__*__{run.data.configuration}/plans.json"
    for path in sorted((folder("results") / dataset.name).glob(pattern)):
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))[KEY]["run"]
            if stored["model"]["backbone"] != run.model.backbone:
                continue
            found = {key: _value(stored, key) for key in keys}
        except (OSError, ValueError, LookupError, TypeError):
            continue  # no results of this package's trainings
        if None not in found.values():
            name = path.parent.name
            values = tuple(Planned(key, found[key], f"as in {name}") for key in sorted(keys))
            yield TrainedPlan(path.parent, KeptPlan(values))


def refuse_several(found: list[TrainedPlan]) -> None:
    """Refuse to choose between results with different plans.

    Raises:
        ConfigError: there are some.
    """
    if len({tuple(each.plan.words) for each in found}) > 1:
        files = [file for each in found for file in sorted(each.folder.glob("fold_*/run.yaml"))]
        raise ConfigError(
            "This run was trained with different plans, and none is kept for it:\n"
            + "\n".join(f"  {file}" for file in files or [each.folder for each in found]),
            fix="say which one to continue: --config with one of these files.",
        )


def _value(stored: JsonMapping, key: str) -> str | int | list[int]:
    section, _, name = key.partition(".")
    value: str | int | list[int] = stored[section][name]
    return value
