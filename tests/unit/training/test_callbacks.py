"""The events of a training: every one is told, by one of nnU-Net's methods, in order."""

import inspect

import pytest
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_vit.training.callback import Callbacks, TrainingCallback
from nnunet_vit.training.callback_trainer import CallbackTrainer
from nnunet_vit.training.callbacks import found
from nnunet_vit.training.callbacks.checkpointing import Checkpointing
from nnunet_vit.training.callbacks.ema import WeightAveraging
from nnunet_vit.training.callbacks.reporting import Reporting

pytestmark = pytest.mark.unit

EVENTS = {name for name in vars(TrainingCallback) if name.startswith("on_")}
OF_METHOD = {  # nnU-Net's, with the events that each tells
    "initialize": ["on_network_built"],
    "on_train_start": ["on_training_start"],
    "on_train_epoch_start": ["on_epoch_start"],
    "on_validation_epoch_start": ["on_validation_start"],
    "validation_step": ["on_validation_step_end"],
    "on_validation_epoch_end": ["on_validation_end"],
    "on_epoch_end": ["on_epoch_end"],
    "on_train_end": ["on_training_end"],
    "perform_actual_validation": ["on_validation_start", "on_validation_end"],
    "print_to_log_file": ["on_log"],
}
BY_STEPS = {"on_step_start", "on_step_end", "on_exception"}  # train_step and run_training


class Told(TrainingCallback):
    """Keeps the names of what it is told."""

    def __init__(self, order, into):
        self.order, self.into = order, into
        for event in EVENTS:
            setattr(self, event, lambda *_, event=event: into.append((order, event)))


@pytest.fixture
def trainer(monkeypatch):
    """A trainer of two callbacks over methods of nnU-Net that do nothing."""
    trainer = CallbackTrainer.__new__(CallbackTrainer)
    trainer.told = []
    trainer.callbacks = Callbacks([Told(9, trainer.told), Told(1, trainer.told)])
    for method in OF_METHOD:
        monkeypatch.setattr(nnUNetTrainer, method, lambda *_, **__: None)
    return trainer


@pytest.mark.parametrize("method", OF_METHOD)
def test_a_method_of_nnunet_tells_its_events_in_order(trainer, method):
    parameters = list(inspect.signature(getattr(CallbackTrainer, method)).parameters.values())
    needed = [p for p in parameters[1:] if p.default is p.empty and "VAR" not in p.kind.name]
    getattr(trainer, method)(*[{} for _ in needed])
    expected = [
        (order, event)
        for event in OF_METHOD[method]
        for order in ((9, 1) if event == "on_validation_end" else (1, 9))
    ]
    assert trainer.told == expected


def test_every_event_is_told():
    assert {event for events in OF_METHOD.values() for event in events} | BY_STEPS == EVENTS


def test_an_error_is_told_and_raised_again(trainer, monkeypatch):
    def fail(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(nnUNetTrainer, "run_training", fail)
    with pytest.raises(KeyboardInterrupt):
        trainer.run_training()
    assert trainer.told == [(1, "on_exception"), (9, "on_exception")]


def test_a_validation_that_fails_ends_too(trainer, monkeypatch):
    def fail(self, _):
        raise MemoryError

    monkeypatch.setattr(nnUNetTrainer, "perform_actual_validation", fail)
    with pytest.raises(MemoryError):
        trainer.perform_actual_validation()
    assert trainer.told[-2:] == [(9, "on_validation_end"), (1, "on_validation_end")]


def test_an_error_within_an_epochs_validation_ends_it_first(trainer, monkeypatch):
    def fail(self):
        self.on_validation_epoch_start()
        raise KeyboardInterrupt

    monkeypatch.setattr(nnUNetTrainer, "run_training", fail)
    with pytest.raises(KeyboardInterrupt):
        trainer.run_training()
    events = [event for _, event in trainer.told]
    assert events == [
        *["on_validation_start"] * 2,
        *["on_validation_end"] * 2,
        *["on_exception"] * 2,
    ]


def test_a_callback_that_fails_hides_no_error(trainer, monkeypatch):
    def fail(self):
        raise MemoryError

    def fail_too(*_):
        raise OSError("disk full")

    monkeypatch.setattr(nnUNetTrainer, "run_training", fail)
    next(iter(trainer.callbacks)).on_exception = fail_too
    with pytest.raises(MemoryError):
        trainer.run_training()
    assert (9, "on_exception") in trainer.told


def test_each_file_of_the_folder_brings_one():
    kinds = [type(callback).__name__ for callback in Callbacks(found())]
    assert kinds == [
        "PrecisionTold", "BlockCompiling", "HeadSteps", "WeightAveraging", "Ending",
        "Checkpointing", "EpochMeasuring", "Reporting", "Pictures", "Waiting", "History",
        "Following", "FeatureKeeping",
    ]  # fmt: skip
    assert len(found()) == len(kinds)


def test_one_is_found_by_its_class():
    callbacks = Callbacks(found())
    for kind in (Checkpointing, WeightAveraging, Reporting):
        assert type(callbacks.of(kind)) is kind
    with pytest.raises(ValueError, match="not enough values"):
        Callbacks().of(Reporting)


def test_what_is_not_overridden_does_nothing():
    callback = TrainingCallback()
    for event in EVENTS:
        more = inspect.signature(getattr(callback, event)).parameters
        assert getattr(callback, event)(*[None for _ in more]) is None
