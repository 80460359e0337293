"""Plans that trainings have made for themselves, kept: what is given once more is planned so again.

One file for each given run, beside the preprocessed data. It holds a plan for each state of the
dataset that the run was planned for, the newest last.
"""

from collections.abc import Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit import __version__
from nnunet_vit.config.models import ViTnnUNetConfig, ViTTrainConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import JsonMapping, read_json, write_json
from nnunet_vit.nnunet.run_names import digest_of, plans_name, readable_part
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.memory_limit import MemoryLimit
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
AGAIN = "delete it: `vit_cli train` then takes the plan of folds that are trained, or plans again."
# what of the section `train` decides how much memory a step takes, beside what is no part of names
DECIDING = ("optimizer", "loss", "ema", "batch_size", "patch_size")
OPEN = {PATCH, BATCH, PRECISION, CHECKPOINTING, SIZE, TUNING}  # what such a plan may hold


@dataclass(frozen=True)
class PlannedData:
    """What of a dataset decides a plan.

    Attributes:
        size: of the dataset.
        channels: of its images.
        outputs: of a network for its labels or regions.
    """

    size: DatasetSize
    channels: int
    outputs: int

    @classmethod
    def of(cls, dataset: Dataset, size: DatasetSize) -> "PlannedData":
        """Return what decides the plans of a dataset of that size."""
        channels = len(dataset.description["channel_names"])
        return cls(size, channels, dataset.number_of_outputs())


@dataclass(frozen=True)
class PlannedMemory:
    """The memory that a plan was made for.

    Attributes:
        device: the name of the GPU, or cpu or mps.
        usable: bytes that a step could hold there.
        step: bytes that a step was predicted to hold.
    """

    device: str
    usable: int
    step: int

    @classmethod
    def of(cls, limit: MemoryLimit, step: int) -> "PlannedMemory":
        """Return the memory of a device, for a step of that many bytes."""
        return cls(limit.name if limit.device == "cuda" else limit.device, limit.usable, step)

    def is_of(self, limit: MemoryLimit) -> bool:
        """Tell whether it is the memory of the same device, however much of it is free."""
        return PlannedMemory.of(limit, self.step).device == self.device


@dataclass(frozen=True)
class KeptPlan:
    """A plan that was made for a training.

    Attributes:
        values: that were planned.
        data: that they were planned for; None: not known, the values are those of trained folds.
        memory: that they were planned for; None: not known.
    """

    values: tuple[Planned, ...]
    data: PlannedData | None = None
    memory: PlannedMemory | None = None

    @classmethod
    def of(cls, plan: "Plan", data: PlannedData) -> "KeptPlan":
        """Return what is kept of a plan."""
        memory = PlannedMemory.of(plan.limit, plan.choice.step.total)
        return cls(tuple(planned_values(plan)), data, memory)

    @property
    def words(self) -> list[str]:
        """The values as overrides of a run file."""
        return [value.word for value in self.values]

    @property
    def text(self) -> str:
        """The values in a line, without their sections."""
        return ", ".join(f"{each.key.split('.')[-1]} {each.text}" for each in self.values)

    def replaces(self, other: "KeptPlan") -> bool:
        """Tell whether the other one is not needed any more where this one is kept."""
        return self.data == other.data and (self.data is not None or self.words == other.words)


def planned_keys(free: OpenKeys) -> frozenset[str]:
    """Return the keys that a kept plan has, of those that were left to the planner."""
    return free.keys & OPEN


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
    digest = digest_of([name, *unnamed, sorted(planned_keys(free))])[:8]
    return folder / f"{_given_part(readable_part(name), run, free)}-{digest}{SUFFIX}"


def kept_plans(path: Path, keys: Set[str]) -> list[KeptPlan]:
    """Return the plans of a file, the oldest first; none where there is no file.

    Args:
        path: of the file.
        keys: that each plan has to have, and no others.

    Raises:
        DataError: it is damaged, has other keys, or a newer version has written it.
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
        plans = [_plan(each) for each in content["plans"]]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds no plans of trainings.", AGAIN) from error
    for plan in plans:
        there = [value.key for value in plan.values]
        if sorted(there) != sorted(keys):
            raise DataError(
                f"{path} plans {', '.join(there) or 'nothing'}; "
                f"this run leaves open {', '.join(sorted(keys))}.",
                AGAIN,
            )
    return plans


def keep(path: Path, plan: KeptPlan, keys: Set[str]) -> None:
    """Add a plan with these keys to a file; one for the same data is replaced."""
    before = [each for each in kept_plans(path, keys) if not plan.replaces(each)]
    plans = [asdict(each) for each in (*before, plan)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json({"schema": SCHEMA, "nnunet_vit": __version__, "plans": plans}, path)


def _given_part(readable: str, run: ViTnnUNetConfig, free: OpenKeys) -> str:
    """Return what people can read of a run's name, without what is left to the planner."""
    network, _, method = readable.rpartition("-")
    if SIZE in free:
        network = network.removesuffix(f"-{run.model.backbone_size}")
    return network if TUNING in free else f"{network}-{method}"


def _plan(content: JsonMapping) -> KeptPlan:
    values = (Planned(str(one["key"]), one["value"], str(one["reason"]))
              for one in content["values"])  # fmt: skip
    data, memory = content["data"], content["memory"]
    return KeptPlan(
        tuple(values),
        None if data is None else _data(data),
        None
        if memory is None
        else PlannedMemory(str(memory["device"]), int(memory["usable"]), int(memory["step"])),
    )


def _data(content: JsonMapping) -> PlannedData:
    size = content["size"]
    height, width = size["image"]
    whole = DatasetSize((int(height), int(width)), int(size["cases"]), int(size["slices"]))
    return PlannedData(whole, int(content["channels"]), int(content["outputs"]))
