"""Each network of a CPU takes one core for an operation, and so does what works beside it."""

import pytest
import torch
from predicting_model import model_of, save_images

from nnunet_vit.inference import predict
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.predicting import pipeline
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.team import Team
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


@pytest.fixture
def taken(monkeypatch):
    """The cores that operations took, by what was done; this thread has four."""
    found = {"network": set(), "reading": set(), "writing": set()}

    def noted(owner, name, work):
        original = getattr(owner, name)

        def note(*arguments, **named):
            found[work].add(torch.get_num_threads())
            return original(*arguments, **named)

        monkeypatch.setattr(owner, name, note)

    noted(Team, "logits", "network")
    noted(pipeline, "prepared", "reading")
    noted(pipeline, "write_case", "writing")
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield found
    torch.set_num_threads(before)


def test_every_operation_takes_one_core_and_afterwards_all(tmp_path, taken):
    files = save_images(tmp_path / "images", ".png", [(60, 70)] * 6)
    (tmp_path / "masks").mkdir()
    failed = predict.run(
        model_of(), Inputs(files, {}), tmp_path / "masks",
        options=PredictionOptions("cpu"), progress=Progress(),
    )  # fmt: skip
    assert failed == {}
    assert taken == {"network": {1}, "reading": {1}, "writing": {1}}
    assert torch.get_num_threads() == 4
