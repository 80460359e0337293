"""One fold's training and validation by nnU-Net, once everything is prepared."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import SUMMARY, VALIDATION
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.damaged_cases import damage_named
from nnunet_vit.data.preprocessing.data_record import REDO
from nnunet_vit.errors import counted
from nnunet_vit.evaluation.evaluate import names_by_key
from nnunet_vit.files.json_file import JsonObject, read_json
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.training.trainer import nnUNetTrainer_vit


@dataclass(frozen=True)
class TrainedModel:
    """What a run leaves behind.

    Attributes:
        folder: nnU-Net's model folder, with one folder per fold.
        dice: mean over foreground classes and validation cases.
        per_class: by class or region, mean over validation cases.
        cases: number of validation cases; of the training cases where the fold is `all`.
        fold: that was trained.
    """

    folder: Path
    dice: float
    per_class: dict[str, float]
    cases: int
    fold: int | str

    def as_text(self) -> str:
        """Return the figures in a line for people."""
        per_class = ", ".join(f"{name} {dice:.3f}" for name, dice in self.per_class.items())
        cases = (
            f"{self.cases} training cases (fold all has no validation cases)"
            if self.fold == "all"
            else f"{self.cases} validation cases of fold {self.fold}"
        )
        return f"Mean Dice {self.dice:.3f} ({per_class}) on {cases}."


def make_trainer(
    dataset: Dataset, run: ViTnnUNetConfig, plans: JsonObject, *, device: str, resumes: bool
) -> "nnUNetTrainer_vit":
    """Return nnU-Net's trainer of the run's fold.

    Args:
        dataset: preprocessed.
        run: of one fold.
        plans: of the run.
        device: cpu, cuda, cuda:1 or mps.
        resumes: whether it starts from a checkpoint.
    """
    import torch

    from nnunet_vit.training.trainer import nnUNetTrainer_vit

    plans = json.loads(json.dumps(plans)) | {"continue_training": resumes}  # as a file has them
    description = read_json(dataset.preprocessed / "dataset.json", REDO)
    (fold,) = run.data.folds
    return nnUNetTrainer_vit(plans, run.data.configuration, fold, description, torch.device(device))


def take_up(trainer: "nnUNetTrainer_vit", progress: Progress) -> None:
    """Resume from the newest checkpoint.

    Raises:
        ModelError: it is of another run or other data, or none is intact.
    """
    from nnunet_vit.training.resuming import resume

    if not resume(trainer):
        epochs = counted(trainer.current_epoch, "epoch")
        progress.log(f"The training is done ({epochs}): its model is validated.")
        return
    for notice in trainer.fold_folder.store.notices:
        progress.log(notice)
    progress.log(f"Resuming after epoch {trainer.current_epoch} of {trainer.num_epochs}.")


def execute(
    trainer: "nnUNetTrainer_vit", progress: Progress, probabilities: bool = False
) -> TrainedModel:
    """Train to the end, validate, and return what that came to.

    Args:
        trainer: of the fold; what it resumes from is taken.
        progress: where to show what happens.
        probabilities: whether the validation writes them beside its masks.

    Raises:
        UserError: whatever nnU-Net raises, in one line.
    """
    data = Path(trainer.preprocessed_dataset_folder)
    if trainer.current_epoch < trainer.num_epochs:
        lead = f"nnU-Net cannot train on {trainer.plans_manager.dataset_name}"
        with damage_named(data, progress), captured(lead, progress):
            trainer.run_training()
    elif not trainer.fold_folder.whole.is_file():  # it was stopped right before
        trainer.save_checkpoint(str(trainer.fold_folder.whole))
    _, validation_cases = trainer.do_split()
    where = " on the training cases" if trainer.fold == "all" else ""
    progress.start_cases(f"Validating with sliding window{where}", len(validation_cases))
    lead = f"nnU-Net cannot validate fold {trainer.fold}"
    with damage_named(data, progress), captured(lead, progress):
        if not probabilities:  # else each case's are replaced, and a stop leaves the others
            trainer.fold_folder.forget_probabilities()
        trainer.perform_actual_validation(probabilities)
    progress.close()
    summary = Path(trainer.output_folder) / VALIDATION / SUMMARY
    metrics = json.loads(summary.read_text(encoding="utf-8"))
    names = names_by_key(trainer.label_manager, trainer.dataset_json)
    return TrainedModel(
        folder=Path(trainer.output_folder_base),
        dice=float(metrics["foreground_mean"]["Dice"]),
        per_class={names[key]: float(mean["Dice"]) for key, mean in metrics["mean"].items()},
        cases=len(validation_cases),
        fold=trainer.fold,
    )
