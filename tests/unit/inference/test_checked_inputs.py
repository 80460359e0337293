"""Where masks may go."""

from types import SimpleNamespace

import pytest

from nnunet_vit.errors import MachineError
from nnunet_vit.inference.checked_inputs import checked_inputs
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", ["overlays", "probabilities", "instances", "uncertainty"])
def test_images_where_predictions_write_too(tmp_path, name):
    (tmp_path / name).mkdir()
    models = [SimpleNamespace(path=tmp_path / "model")]
    with pytest.raises(MachineError) as caught:
        checked_inputs(
            tmp_path / name, tmp_path, models, options=PredictionOptions(), progress=Progress()
        )
    assert str(caught.value) == (
        f"-o {tmp_path} holds the folder of the images, {name}, to which predictions write. "
        "Fix: another folder."
    )
