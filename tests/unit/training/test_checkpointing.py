"""When a training is saved, and that it resumes as if it had never ended; without nnU-Net."""

import shutil

import pytest
import torch
from small_training import SmallTraining

from nnunet_vit.checkpoints.fold_folder import BEST_FILE, LATEST_FILE
from nnunet_vit.checkpoints.full_model import read_full_model, write_full_model
from nnunet_vit.errors import ModelError
from nnunet_vit.training.callbacks.checkpointing import Checkpointing
from nnunet_vit.training.callbacks.ema import WeightAveraging
from nnunet_vit.training.checkpoint_content import full_model_of
from nnunet_vit.training.resuming import resume

pytestmark = pytest.mark.unit


@pytest.fixture
def training(tmp_path):
    made = SmallTraining(tmp_path)
    made.build_network()
    return made


def saved(training):
    return training.fold_folder.saved_epoch()


def test_an_epoch_is_saved_where_nnunet_asks(training):
    training.epoch()
    assert saved(training) is None
    training.callbacks.of(Checkpointing).request(LATEST_FILE)
    assert saved(training) is None  # not within the epoch
    training.epoch()
    assert saved(training) == 2


def test_a_request_holds_for_one_epoch(training):
    training.callbacks.of(Checkpointing).request(BEST_FILE)
    training.epoch()
    training.epoch()
    assert saved(training) == 1


def test_the_best_is_the_one_that_nnunet_calls_so(training):
    for name in (LATEST_FILE, BEST_FILE, LATEST_FILE):
        training.callbacks.of(Checkpointing).request(name)
        training.epoch()
    assert saved(training) == 3
    assert training.fold_folder.store.best().epoch == 2


def test_the_last_epoch_is_saved_unasked(training):
    training.current_epoch = 2
    training.epoch()
    assert saved(training) == 3


def test_a_process_that_saves_nothing(training):
    training.saves = False
    training.callbacks.of(Checkpointing).request(BEST_FILE)
    training.epoch()
    assert not training.fold_folder.path.exists()
    training.saves = True
    training.epoch()
    assert not training.fold_folder.path.exists()


@pytest.mark.parametrize("train", [{}, {"ema": 0.9}, {"optimizer": "sgd"}])
def test_a_resumed_training_equals_the_unbroken_one_bit_by_bit(tmp_path, train):
    unbroken = SmallTraining(tmp_path, **train)
    unbroken.build_network()
    unbroken.epoch()
    unbroken.callbacks.of(Checkpointing).request(LATEST_FILE)
    unbroken.epoch()
    unbroken.epoch()

    torch.manual_seed(99)
    shutil.rmtree(tmp_path / "fold_0/ckpt/epoch_00003")
    resumed = SmallTraining(tmp_path, **train)
    resume(resumed)
    assert resumed.current_epoch == 2
    resumed.tell("on_training_start")
    resumed.epoch()
    expected, found = unbroken.weights(), resumed.weights()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    averages = [each.callbacks.of(WeightAveraging).average for each in (unbroken, resumed)]
    if "ema" in train:
        first, second = averages
        assert first.updates == second.updates == 6
        assert all(torch.equal(first.values[name], second.values[name]) for name in first.values)
    else:
        assert averages == [None, None]


def test_random_numbers_continue_once(training, tmp_path):
    training.current_epoch = 2
    training.epoch()
    expected = torch.rand(3)
    other = SmallTraining(tmp_path)
    resume(other)
    torch.rand(5)  # the loaders use some
    other.tell("on_training_start")
    assert torch.equal(torch.rand(3), expected)
    other.tell("on_training_start")
    assert not torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"plans_name": "other"}, "is of fold 0 of vit. Fix: copy back the fold's own folder"),
        ({"data_digests": {"split": "9", "plans": "2"}}, "training and validation cases have"),
    ],
)
def test_another_run_or_other_data_are_refused(training, tmp_path, change, words):
    training.current_epoch = 2
    training.epoch()
    other = SmallTraining(tmp_path)
    vars(other).update(change)
    with pytest.raises(ModelError) as caught:
        resume(other)
    assert words in str(caught.value)
    assert other.bare_network is None


def test_nothing_to_resume_from(tmp_path):
    with pytest.raises(ModelError, match="There is no checkpoint in"):
        resume(SmallTraining(tmp_path))


def test_a_finished_model_is_taken_and_keeps_no_average(tmp_path):
    training = SmallTraining(tmp_path, ema=0.9)
    training.build_network()
    training.current_epoch = 2
    training.epoch()
    with training.callbacks.of(WeightAveraging).in_network():
        write_full_model(training.fold_folder.whole, full_model_of(training, "2d"))
        expected = training.weights()
    content = read_full_model(training.fold_folder.whole)
    assert content["trainer_name"] == "nnUNetTrainer"
    assert content["init_args"] == {"configuration": "2d", "fold": 0}

    other = SmallTraining(tmp_path, ema=0.9)
    resume(other)
    assert other.current_epoch == 3
    assert other.callbacks.of(WeightAveraging).average is None
    found = other.weights()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_finished_model_of_other_data_is_refused(training, tmp_path):
    training.current_epoch = 2
    training.epoch()
    write_full_model(training.fold_folder.whole, full_model_of(training, "2d"))
    other = SmallTraining(tmp_path)
    other.data_digests = {"split": "1", "plans": "9"}
    with pytest.raises(ModelError, match="nnU-Net's plans have changed"):
        resume(other)
