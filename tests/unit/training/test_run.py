"""What is said of a run before its fold is prepared."""

from types import SimpleNamespace

import pytest

from nnunet_vit.errors import Stopped
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.training import run as training
from nnunet_vit.training.fold_preparation import Request

pytestmark = pytest.mark.unit


def test_what_deserves_a_second_look_is_said_of_the_run_that_is_trained(monkeypatch):
    warned = []

    def stop(*_arguments):
        raise Stopped("here")

    monkeypatch.setattr(training, "prepare_fold", stop)
    words = ["model.head=linear", "model.pretrained=false", "model.tuning=lora", "data.dataset=5"]
    run = GivenRun.of(None, words).run()
    with pytest.raises(Stopped):
        training.train_fold(run, Request(), SimpleNamespace(warn=warned.append))
    assert len(warned) == 1 and "keeps random weights in the backbone" in warned[0]
