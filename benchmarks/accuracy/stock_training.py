"""A cell of stock nnU-Net: its own trainer and plans, for some minutes.

    python benchmarks/accuracy/stock_training.py DATASET_ID PLANS FOLD [EPOCHS STEPS SEED]

nnU-Net's folders come from its variables. Its epochs have 250 steps, which on one core would be one
epoch: here they have as many as is said. All else is nnU-Net's. Prints a line of JSON last: the
steps and the seconds of the epochs; without their number the seconds of an epoch beside its steps,
and of a step.
"""

import json
import os
import random
import sys
from pathlib import Path

import numpy as np
import torch
from nnunetv2.paths import nnUNet_preprocessed
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.dataset_name_id_conversion import maybe_convert_to_dataset_name
from study_clock import processor_seconds

TRIED = 3  # steps that tell the time of one, after a first one
FIXED = 2.0  # seconds of an epoch beside its steps: validation, picture, checkpoint


def trainer_of(dataset, plans, fold):
    """Return nnU-Net's trainer of a fold."""
    place = Path(nnUNet_preprocessed) / maybe_convert_to_dataset_name(dataset)
    said, described = (
        json.loads((place / f"{name}.json").read_text()) for name in (plans, "dataset")
    )
    said["continue_training"] = False  # as nnUNetv2_train says it
    return nnUNetTrainer(said, "2d", fold, described, torch.device("cpu"))


def seconds_of_step(trainer):
    """Return what a step takes of the core, the worker's batch included."""
    trainer.on_train_start()
    trainer.on_train_epoch_start()
    taken = []
    for _ in range(TRIED + 1):
        began = processor_seconds(os.getpid())
        trainer.train_step(next(trainer.dataloader_train))
        taken.append(processor_seconds(os.getpid()) - began)
    for source in (trainer.dataloader_train, trainer.dataloader_val):
        getattr(source, "_finish", lambda: None)()
    return float(np.median(taken[1:]))


def main():
    """Train and validate, or measure; print."""
    dataset, plans, fold, *length = sys.argv[1:]
    trainer = trainer_of(int(dataset), plans, int(fold))
    if not length:
        print(json.dumps([FIXED, seconds_of_step(trainer)]))
        return
    epochs, steps, seed = map(int, length)
    for of in (random.seed, np.random.seed, torch.manual_seed):
        of(seed)
    trainer.num_epochs, trainer.num_iterations_per_epoch = epochs, steps
    trainer.num_val_iterations_per_epoch = 1
    trainer.run_training()
    starts, ends = (
        trainer.logger.get_value(f"epoch_{kind}_timestamps", None) for kind in ("start", "end")
    )
    trainer.perform_actual_validation(save_probabilities=True)
    taken = [end - start for start, end in zip(starts, ends, strict=True)]
    print(json.dumps({"steps": steps * trainer.num_epochs, "seconds": sum(taken)}))


if __name__ == "__main__":
    main()
