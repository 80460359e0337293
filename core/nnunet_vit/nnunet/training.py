"""One run from the raw dataset to a validated model."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.config.dump import write_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, DataError, MachineError
from nnunet_vit.nnunet.dataset import Dataset, find_dataset
from nnunet_vit.nnunet.folders import folder, use_folders, use_processors
from nnunet_vit.nnunet.plans import plans_name, run_plans, write_plans
from nnunet_vit.nnunet.preparation import prepare
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.nnunet.trainer import nnUNetTrainer_vit

TRAINER = "nnUNetTrainer_vit"
# the order in which a run goes on: a finished one only repeats its validation
CHECKPOINTS = ("checkpoint_final.pth", "checkpoint_latest.pth", "checkpoint_best.pth")


@dataclass(frozen=True)
class TrainedModel:
    """What a run leaves behind.

    Attributes:
        folder: nnU-Net's model folder, with one folder per fold.
        dice: mean over foreground classes and validation cases.
        cases: number of validation cases.
    """

    folder: Path
    dice: float
    cases: int


def train(
    run: ViTnnUNetConfig, device: str | None, resume: bool, overwrite: bool, progress: Progress
) -> TrainedModel:
    """Plan and preprocess where needed, train one fold, validate it.

    Args:
        run: resolved.
        device: cpu, cuda or mps; None: the best that is there.
        resume: go on from the last checkpoint.
        overwrite: start anew over an existing result.
        progress: where to show what happens.

    Raises:
        UserError: everything that can be known is checked before anything is written.
    """
    use_folders(run.paths)
    use_processors()
    dataset = find_dataset(run.data.dataset)
    fold_folder = model_folder(dataset, run) / f"fold_{run.data.fold}"
    start = _checkpoint(fold_folder, resume, overwrite)
    facts = _check_network(dataset, run, fresh=start is None)
    chosen = choose_device(device)
    plans = prepare(dataset, run.data.configuration, progress)
    _check_fold(dataset, run.data.fold)
    patch_size = _patch_size(run, plans, facts.patch_size, progress)
    write_plans(run_plans(plans, run, patch_size, facts.statistics), dataset.preprocessed)
    if overwrite and fold_folder.is_dir():
        shutil.rmtree(fold_folder)
    trainer = _trainer(dataset, run, chosen, start)
    trainer.progress = progress
    write_run(run, fold_folder / "run.yaml")
    return _execute(trainer, start, progress)


def model_folder(dataset: Dataset, run: ViTnnUNetConfig) -> Path:
    """Return nnU-Net's folder of the run's models."""
    name = f"{TRAINER}__{plans_name(run)}__{run.data.configuration}"
    return folder("results") / dataset.name / name


def choose_device(wanted: str | None) -> str:
    """Return the device to use.

    Raises:
        MachineError: the wanted one is not there.
    """
    import torch

    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted is None:
        return next(name for name, available in there.items() if available)
    if not there.get(wanted, False):
        available = ", ".join(name for name, is_there in there.items() if is_there)
        raise MachineError(f"--device {wanted} is not available here; available: {available}.")
    return wanted


@dataclass(frozen=True)
class _NetworkFacts:
    patch_size: int
    statistics: tuple[list[float], list[float]]


def _check_network(dataset: Dataset, run: ViTnnUNetConfig, fresh: bool) -> _NetworkFacts:
    from nnunet_vit.backbones import timm_name
    from nnunet_vit.modeling.bridge import channel_statistics
    from nnunet_vit.modeling.published import require_reachable
    from nnunet_vit.modeling.timm_models import check_image_size, inspect_timm

    model = run.model
    name = timm_name(model.backbone, model.size_name)
    if fresh and model.pretrained and not model.checkpoint_path:
        require_reachable(name)
    facts = inspect_timm(name)
    if run.train.patch_size is not None:
        height, width = run.train.patch_size
        check_image_size(name, (height, width), facts.patch_size)
    schemes = dataset.normalization_schemes()
    if model.input_mean is not None and model.input_std is not None:
        if len(model.input_mean) != len(schemes):
            raise ConfigError(
                f"model.input_mean has {len(model.input_mean)} numbers; {dataset.name} has "
                f"{len(schemes)} channels."
            )
        return _NetworkFacts(facts.patch_size, (model.input_mean, model.input_std))
    return _NetworkFacts(facts.patch_size, channel_statistics(schemes, facts.mean, facts.std))


def _checkpoint(fold_folder: Path, resume: bool, overwrite: bool) -> Path | None:
    found = [fold_folder / name for name in CHECKPOINTS if (fold_folder / name).is_file()]
    if resume and not found:
        raise ConfigError(
            f"--continue: there is no checkpoint of this run in {fold_folder}.",
            fix="leave out --continue, or give the run file that the earlier run had (another "
            "model, lora or train section is another run).",
        )
    if found and not resume and not overwrite:
        raise ConfigError(
            f"{fold_folder} already holds this run's {found[0].name}.",
            fix="--continue to go on, --overwrite to start anew, or change the run file.",
        )
    return found[0] if resume else None


def _check_fold(dataset: Dataset, fold: int | str) -> None:
    splits_file = dataset.preprocessed / "splits_final.json"
    if fold == "all":
        return
    if splits_file.is_file():
        splits = json.loads(splits_file.read_text(encoding="utf-8"))
        if int(fold) >= len(splits):
            raise ConfigError(f"data.fold: {fold}; {splits_file} has folds 0 to {len(splits) - 1}.")
    elif int(dataset.description["numTraining"]) < 5:
        raise DataError(
            f"{dataset.name} has {dataset.description['numTraining']} cases; five folds need 5.",
            fix="data.fold: all",
        )


def _patch_size(
    run: ViTnnUNetConfig, plans: dict[str, Any], vit_patch: int, progress: Progress
) -> tuple[int, int]:
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    if run.train.patch_size is not None:
        height, width = run.train.patch_size
        return height, width
    planned = PlansManager(plans).get_configuration(run.data.configuration).patch_size
    height, width = (-(-edge // vit_patch) * vit_patch for edge in planned)
    if (height, width) != tuple(planned):
        progress.say(
            f"Patch size {height} x {width}: the planned {planned[0]} x {planned[1]} up to the next "
            f"multiple of the ViT's patch, {vit_patch}."
        )
    return height, width


def _trainer(
    dataset: Dataset, run: ViTnnUNetConfig, device: str, start: Path | None
) -> "nnUNetTrainer_vit":
    import torch

    from nnunet_vit.nnunet.trainer import nnUNetTrainer_vit

    plans_file = dataset.preprocessed / f"{plans_name(run)}.json"
    plans = json.loads(plans_file.read_text(encoding="utf-8"))
    plans["continue_training"] = start is not None
    description = json.loads((dataset.preprocessed / "dataset.json").read_text(encoding="utf-8"))
    return nnUNetTrainer_vit(
        plans, run.data.configuration, run.data.fold, description, torch.device(device)
    )


def _execute(
    trainer: "nnUNetTrainer_vit", start: Path | None, progress: Progress
) -> TrainedModel:
    if start is not None:
        trainer.load_checkpoint(str(start))
        progress.say(f"Going on from {start.name}, epoch {trainer.current_epoch}.")
    if trainer.current_epoch < trainer.num_epochs:
        trainer.run_training()
    _, validation_cases = trainer.do_split()
    progress.start_cases("Validating with sliding window", len(validation_cases))
    trainer.perform_actual_validation(False)
    progress.close()
    summary = Path(trainer.output_folder) / "validation" / "summary.json"
    metrics = json.loads(summary.read_text(encoding="utf-8"))
    return TrainedModel(
        folder=Path(trainer.output_folder_base),
        dice=float(metrics["foreground_mean"]["Dice"]),
        cases=len(validation_cases),
    )
