"""The log says what the network computes in."""

import pytest
from small_training import SmallTraining

from nnunet_vit.modeling.runtime import precision
from nnunet_vit.training.callbacks.precision_told import PrecisionTold

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("is_quick", "begun_with", "expected"),
    [(True, True, "bfloat16"), (False, True, "float32"), (True, False, "float32")],
)
def test_a_line_in_the_log(monkeypatch, tmp_path, is_quick, begun_with, expected):
    monkeypatch.setattr(precision, "is_quick_in_bfloat16", lambda: is_quick)
    training = SmallTraining(tmp_path, callbacks=[PrecisionTold()])
    training.build_network()
    training.bare_network.cpu_bfloat16 = begun_with
    training.tell("on_training_start")
    assert training.log == [f"Computes in {expected} on cpu (auto)."]
