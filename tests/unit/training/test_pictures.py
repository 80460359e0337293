"""When pictures of validation cases are drawn, and that they cost a training nothing."""

import numpy as np
import pytest
import torch
from small_training import SmallTraining

from nnunet_vit.training.callbacks.pictures import fixed_cases

pytestmark = pytest.mark.unit


class Drawn(SmallTraining):
    def do_split(self):
        return [], ["b", "a"]

    def drawn_case(self, case):
        torch.rand(5)
        self.drawn.append((self.current_epoch, case))
        return np.zeros((4, 6, 3), np.uint8)


def made(folder, **train):
    training = Drawn(folder, **train)
    training.drawn = []
    training.build_network()
    training.fold_folder.path.mkdir()
    torch.manual_seed(1)
    return training


def test_they_are_drawn_every_so_many_epochs_and_after_the_last(tmp_path):
    training = made(tmp_path, num_epochs=5, overlay_every=2)
    for _ in range(5):
        training.epoch()
    assert training.drawn == [(epoch, case) for epoch in (2, 4, 5) for case in "ab"]
    folder = training.fold_folder.path / "overlays" / "a"
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["epoch_00002.png", "epoch_00004.png", "epoch_00005.png"]


@pytest.mark.parametrize("every", [0, 4])
def test_a_short_training_has_none(tmp_path, every):
    training = made(tmp_path, overlay_every=every)
    for _ in range(3):
        training.epoch()
    assert training.drawn == []


def test_the_weights_are_those_of_a_training_without(tmp_path):
    trained = []
    for name, every in (("without", 0), ("with", 1)):
        (tmp_path / name).mkdir()
        training = made(tmp_path / name, overlay_every=every)
        for _ in range(3):
            training.epoch()
        trained.append(training)
    one, other = trained
    assert other.drawn
    for name, value in one.weights().items():
        assert torch.equal(value, other.weights()[name]), name


def test_what_cannot_be_drawn_is_told_once(tmp_path):
    training = made(tmp_path, overlay_every=1)

    def fail(case):
        raise RuntimeError("CUDA out of memory")

    training.drawn_case = fail
    training.epoch()
    training.epoch()
    assert training.progress.warnings == ["No pictures of validation cases: CUDA out of memory"]


def test_the_cases_are_a_few_of_all():
    assert fixed_cases(["b", "a"]) == ["a", "b"]
    names = [f"case_{number:02d}" for number in range(40)]
    assert fixed_cases(names[::-1]) == ["case_00", "case_10", "case_20", "case_30"]
