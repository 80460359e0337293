"""Large cases of a prediction: what comes with them comes with them alone."""

import pytest

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.large import large_cases
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


def test_the_allocator_stays_as_it_is_without_large_images(monkeypatch, tmp_path):
    """The next member of an ensemble predicts in the same process."""
    told = []
    monkeypatch.setattr(large_cases, "give_back_blocks", lambda: told.append(1))
    inputs = Inputs({"a": [tmp_path / "a_0000.png"]}, {})
    found = large_cases.predict_large(
        inputs, tmp_path, None, options=PredictionOptions(), progress=Progress(), window=object()
    )
    assert found == {}
    assert told == []
