"""A run planned for a dataset and a memory."""

from dataclasses import dataclass, replace
from time import monotonic

from nnunet_vit.backbones import timm_name
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.notices import notices
from nnunet_vit.data.case_files import training_cases
from nnunet_vit.data.channels import normalization_of
from nnunet_vit.data.checks.plane import check_planned_plane
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.preprocessing.planned_sizes import planned
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.data.recipe_fit import check_recipe
from nnunet_vit.errors import counted
from nnunet_vit.modeling.vit.timm_models import check_image_size
from nnunet_vit.nnunet.folders import use_folders, use_processors
from nnunet_vit.planning.choice import Choice, Chooser
from nnunet_vit.planning.dataset_size import DatasetSize, size_of_plans
from nnunet_vit.planning.haste import UNHURRIED, Haste
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.planning.meter import Meter
from nnunet_vit.planning.open_keys import PRECISION, GivenRun, OpenKeys, variants_of
from nnunet_vit.planning.probing import Probing, Trial, Trials
from nnunet_vit.planning.what_would_fit import nothing_fits
from nnunet_vit.profiling.measured_run import facts_of, precision_of, with_its_network
from nnunet_vit.quantities import duration_text
from nnunet_vit.report.progress import Progress


@dataclass(frozen=True)
class Plan:
    """A run's plan.

    Attributes:
        dataset: its name.
        size: of the dataset.
        limit: the memory that was planned for.
        free: what was left to the planner.
        given: the run as the user gave it, resolved.
        choice: what was chosen.
        precision: that the training computes in.
        changes: values by key for the run file, beside patch, batch and checkpointing.
        trial: what a probe on this machine has shown; None: nobody has asked.
        haste: what it gives up for its hours.
        cases: that are there now; None: not counted, or preprocessed data alone are there.
    """

    dataset: str
    size: DatasetSize
    limit: MemoryLimit
    free: OpenKeys
    given: ViTnnUNetConfig
    choice: Choice
    precision: str
    changes: dict[str, str]
    trial: Trial | None = None
    cases: int | None = None
    haste: Haste = UNHURRIED


def dataset_of(given: GivenRun) -> Dataset:
    """Point nnU-Net at the run's folders, and return its dataset, before anything else is asked.

    Raises:
        UserError: the run, its folders or its dataset are unfit.
    """
    run = given.run()
    use_folders(run.paths)
    return find_dataset(run.data.dataset)


def plan_run(
    given: GivenRun,
    dataset: Dataset,
    limit: MemoryLimit,
    *,
    progress: Progress,
    probing: Probing | None = None,
) -> Plan:
    """Return the plan of a run; nnU-Net plans the dataset first where that has not been done.

    Args:
        given: what the user gave.
        dataset: as `dataset_of` returns it.
        limit: the memory to plan for.
        progress: where to show what happens.
        probing: how to try the plan on this machine; None: it is not tried.

    Raises:
        ConfigError: nothing fits; says what would.
        UserError: the dataset or the network is unfit, as in training.
    """
    run = with_its_network(given.run())
    use_processors()
    schemes, size = sizes_of(run, dataset, progress)
    meter = Meter(dataset, schemes, limit.device)

    def plan_at(memory: MemoryLimit, haste: Haste = UNHURRIED) -> Plan:
        return plan_for(
            given, dataset, schemes, size=size, limit=memory, progress=progress, meter=meter,
            haste=haste,
        )  # fmt: skip

    plan = plan_at(limit)
    if probing is not None:
        plan = Trials(meter, size, schemes, probing, progress, given.allows).of(plan, plan_at)
    for notice in notices(plan.choice.variant.run):
        progress.warn(notice)
    there = None if dataset.raw is None else len(training_cases(dataset.raw, dataset.description))
    return replace(plan, cases=there)


def sizes_of(
    run: ViTnnUNetConfig,
    dataset: Dataset,
    progress: Progress,
    *,
    asked: Asked = NOTHING,
    read: ReadCases | None = None,
) -> tuple[list[str], DatasetSize]:
    """Return nnU-Net's normalization of each channel, and how large the dataset is.

    nnU-Net plans the dataset first where that has not been done.

    Args:
        run: resolved, with what its weights say of the network.
        dataset: its own.
        progress: where to show what happens.
        asked: what may change of preprocessed data that are there.
        read: keeps what is read of the cases for a training that follows; None: none does.

    Raises:
        UserError: the dataset is unfit, or what is there belongs to other raw data.
    """
    facts = facts_of(run)
    if run.train.patch_size is not None:
        height, width = run.train.patch_size
        name = timm_name(run.model.backbone, run.model.size_name)
        check_image_size(name, (height, width), facts.patch_size, key="train.patch_size")
    configuration, vit_patch = run.data.configuration, facts.patch_size
    plans, own = planned(dataset, configuration, vit_patch, progress=progress, asked=asked,
                         read=read)  # fmt: skip
    check_planned_plane(dataset.name, own, vit_patch)
    schemes = normalization_of(dataset, configuration)
    check_recipe(run.train, dataset.description, schemes)
    return schemes, size_of_plans(dataset, plans, own)


def plan_for(
    given: GivenRun,
    dataset: Dataset,
    schemes: list[str],
    *,
    size: DatasetSize,
    limit: MemoryLimit,
    progress: Progress,
    meter: Meter | None = None,
    haste: Haste = UNHURRIED,
) -> Plan:
    """Return the plan for a dataset whose sizes are known.

    Args:
        given: what the user gave.
        dataset: there or assumed.
        schemes: nnU-Net's normalization of each channel.
        size: of the dataset.
        limit: the memory to plan for.
        progress: where to show that it lasts.
        meter: that has measured the same run and dataset before; None: a new one.
        haste: what the plan gives up for its hours.

    Raises:
        ConfigError: nothing fits; says what would.
    """
    free = given.open_keys()
    forced = {**_forced_precision(free, limit), **haste.changes}
    fixed, left = given.with_(forced), free.without(*haste.changes)
    meter = meter or Meter(dataset, schemes, limit.device)
    started, before = monotonic(), len(meter.steps)
    progress.start_work(f"Measuring training steps for {dataset.name}")
    try:
        chooser = Chooser(meter, size, left, limit.usable)
        variants = list(variants_of(fixed, left))
        choice = chooser.choose(variants)
        if choice is None:
            raise nothing_fits(fixed, chooser, limit)
    finally:
        progress.close()
    steps, seconds = len(meter.steps) - before, duration_text(monotonic() - started)
    progress.log(f"Measured without running: {counted(steps, 'training step')}, in {seconds}.")
    return Plan(
        dataset=dataset.name,
        size=size,
        limit=limit,
        free=free,
        given=given.run(),
        choice=choice,
        precision=precision_of(choice.variant.run, limit.device),
        changes={**forced, **choice.variant.changes},
        haste=haste,
    )


def _forced_precision(free: OpenKeys, limit: MemoryLimit) -> dict[str, str]:
    """Return float32 for a GPU that has no bfloat16: `auto` would be measured as bfloat16."""
    return {PRECISION: "float32"} if PRECISION in free and limit.bfloat16 is False else {}
