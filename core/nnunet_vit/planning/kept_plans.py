"""Plans that trainings have made for themselves, kept: what is given once more is planned so again.

One file for each given run, beside the preprocessed data. It holds a plan for each state of the
dataset's own plans that the run was planned for, the newest last.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit import __version__
from nnunet_vit.config.models import ViTnnUNetConfig, ViTTrainConfig
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import JsonMapping, read_json, write_json
from nnunet_vit.nnunet.run_names import digest_of, plans_name, readable_part
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.open_keys import (
    BATCH,
    CHECKPOINTING,
    PATCH,
    PRECISION,
    SIZE,
    TUNING,
    OpenKeys,
)
from nnunet_vit.planning.reasons import Planned, planned_values

if TYPE_CHECKING:
    from nnunet_vit.planning.plan_run import Plan

SUFFIX = ".planned.json"
SCHEMA = 1
AGAIN = "delete it: `vit_cli train` then plans again."
# what of the section `train` decides how much memory a step takes, beside what is no part of names
DECIDING = ("optimizer", "loss", "ema", "batch_size", "patch_size")
OPEN = {PATCH, BATCH, PRECISION, CHECKPOINTING, SIZE, TUNING}  # what such a plan may hold


@dataclass(frozen=True)
class KeptPlan:
    """A plan that was made for a training.

    Attributes:
        values: that were planned.
        size: of the dataset.
        device: the name of the GPU that it was made for, or cpu or mps.
        usable: bytes that a step could hold there.
        step: bytes that a step was predicted to hold.
    """

    values: tuple[Planned, ...]
    size: DatasetSize
    device: str
    usable: int
    step: int

    @classmethod
    def of(cls, plan: "Plan") -> "KeptPlan":
        """Return what is kept of a plan."""
        limit = plan.limit
        return cls(
            tuple(planned_values(plan)),
            plan.size,
            limit.name if limit.device == "cuda" else limit.device,
            limit.usable,
            plan.choice.step.total,
        )


def file_of(folder: Path, run: ViTnnUNetConfig, free: OpenKeys) -> Path:
    """Return the file of a given run's plans.

    Runs that differ in nothing but rates, epochs, augmentation or seed have the same one.

    Args:
        folder: of the dataset's preprocessed data.
        run: as it was given, resolved, with what its weights say of the network.
        free: what was left to the planner.
    """
    deciding = {key: getattr(run.train, key) for key in DECIDING}
    train = ViTTrainConfig().model_copy(update=deciding)
    name = plans_name(run.model_copy(update={"train": train}))
    unnamed = (run.train.gradient_accumulation, run.train.gradient_checkpointing)
    digest = digest_of([name, *unnamed, sorted(OPEN & free.keys)])[:8]
    return folder / f"{readable_part(name)}-{digest}{SUFFIX}"


def kept_plans(path: Path) -> list[KeptPlan]:
    """Return the plans of a file, the oldest first; none where there is no file.

    Raises:
        DataError: it is damaged, or a newer version has written it.
    """
    if not path.exists():
        return []
    content = read_json(path, AGAIN)
    try:
        if content["schema"] > SCHEMA:
            raise DataError(
                f"{path} was written by a newer nnunet-vit ({content.get('nnunet_vit')}).",
                fix=f"update nnunet-vit, or {AGAIN}",
            )
        return [_plan(each) for each in content["plans"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds no plans of trainings.", AGAIN) from error


def keep(path: Path, plan: KeptPlan) -> None:
    """Add a plan to a file; one for the same sizes of the dataset is replaced."""
    before = [each for each in kept_plans(path) if each.size != plan.size]
    plans = [asdict(each) for each in (*before, plan)]
    write_json({"schema": SCHEMA, "nnunet_vit": __version__, "plans": plans}, path)


def _plan(content: JsonMapping) -> KeptPlan:
    size = content["size"]
    height, width = size["image"]
    return KeptPlan(
        tuple(Planned(str(one["key"]), one["value"], str(one["reason"]))
              for one in content["values"]),
        DatasetSize((int(height), int(width)), int(size["cases"]), int(size["slices"])),
        str(content["device"]),
        int(content["usable"]),
        int(content["step"]),
    )  # fmt: skip
