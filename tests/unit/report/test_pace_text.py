"""The time of a planned training, as people read it."""

import pytest

from nnunet_vit.planning.length import Length
from nnunet_vit.planning.pace import Pace, Turn
from nnunet_vit.planning.probing import Trial
from nnunet_vit.report.pace_text import time_lines

pytestmark = pytest.mark.unit

TURN = Turn(1.0, 0.1, 4, 8, shared=False)
PACE = Pace(TURN, TURN, saving=2.0, tiles=4.0, cases=0, steps=2, peak=None, drawing=0.5)


def lines_of(folds):
    trial = Trial(PACE, length=Length(4, 10, 2, 92.0, folds))
    return [" ".join(line.split()) for line in time_lines(trial, 1)]


def test_an_epoch_has_its_checkpoint_and_picture():
    steps = "10 training and 2 validation steps"
    assert f"epoch 14 s {steps}, checkpoint 2.0 s, progress.png 0.5 s" in lines_of(1)


def test_several_folds_are_told_apart_from_one():
    assert lines_of(1)[-1].startswith("training 92 s 4 epochs, start and final validation ")
    one, together = lines_of(2)[-2:]
    assert one.startswith("training of a fold 92 s 4 epochs, ")
    assert together == "2 folds 3 min one after the other, 92 s each"
