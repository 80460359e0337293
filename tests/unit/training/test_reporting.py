"""What the trainer shows: the epoch's highest rate, and nnU-Net's warnings once."""

import pytest
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_vit.report.progress import Progress
from nnunet_vit.training.reporting import ReportingTrainer

pytestmark = pytest.mark.unit


class Shown(Progress):
    def __init__(self):
        self.warnings, self.cases, self.rates = [], [], []

    def warn(self, text):
        self.warnings.append(text)

    def case(self, name):
        self.cases.append(name)

    def end_epoch(self, epoch, epochs, figures):
        self.rates.append(figures.rate)


@pytest.fixture
def trainer(monkeypatch):
    """A trainer of two groups, of which nnU-Net's own class logs nothing."""
    trainer = ReportingTrainer.__new__(ReportingTrainer)
    trainer.progress = Shown()
    first, second = torch.zeros(1), torch.zeros(1)
    trainer.optimizer = torch.optim.SGD([{"params": [first]}, {"params": [second]}], lr=0.1)
    trainer.num_iterations_per_epoch = trainer.num_val_iterations_per_epoch = 1
    trainer.current_epoch, trainer.num_epochs = 0, 2
    trainer.dataset_json = {"labels": {"background": 0, "disc": 1}}
    monkeypatch.setattr(nnUNetTrainer, "on_train_epoch_start", lambda self: None)
    monkeypatch.setattr(nnUNetTrainer, "print_to_log_file", lambda self, *_, **__: None)
    values = {"dice_per_class_or_region": [0.5], "train_losses": 1.0, "val_losses": 1.0}
    monkeypatch.setattr(trainer, "_last", values.__getitem__, raising=False)
    return trainer


def train_epoch(trainer, *rates):
    trainer.on_train_epoch_start()
    for pair in rates:
        for group, rate in zip(trainer.optimizer.param_groups, pair, strict=True):
            group["lr"] = rate
        trainer.note_rate()
    trainer.report_epoch(trainer.current_epoch)


def test_the_rate_is_the_epochs_highest_over_groups_and_steps(trainer):
    train_epoch(trainer, (0.001, 0.01), (0.003, 0.03), (0.002, 0.02))
    train_epoch(trainer, (0.02, 0.002), (0.01, 0.001))
    assert trainer.progress.rates == [0.03, 0.02]


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        (["WARNING: Some cases are\nin both sets"], "Some cases are in both sets"),
        (["WARNING! batch size is", 1], "batch size is 1"),
        (["\nwarning: x"], "x"),
    ],
)
def test_a_warning_of_nnunets_log_is_shown(trainer, words, warning):
    trainer.print_to_log_file(*words)
    assert trainer.progress.warnings == [warning]


@pytest.mark.parametrize("words", [[], ["Epoch 1"], ["no WARNING"], ["WARNINGS"]])
def test_what_is_no_warning(trainer, words):
    trainer.print_to_log_file(*words)
    assert trainer.progress.warnings == []


def test_a_validation_case_is_counted(trainer):
    trainer.print_to_log_file("predicting case_1")
    assert (trainer.progress.cases, trainer.progress.warnings) == (["case_1"], [])
