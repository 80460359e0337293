"""Where masks may go, and images that do not suit what is asked for."""

from types import SimpleNamespace

import pytest
from predicting_model import model_of, save_images

from nnunet_vit.errors import DataError, MachineError, ModelError
from nnunet_vit.inference.checked_inputs import checked_inputs
from nnunet_vit.inference.inputs import sound_inputs
from nnunet_vit.inference.least_size import least_size
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


def trained(tmp_path, **plans):
    model = model_of(".nii.gz")
    channels = model.description["channel_names"]
    own = {
        **model.configuration.configuration,
        "normalization_schemes": ["ZScoreNormalization"] * len(channels),
        "use_mask_for_norm": [False] * len(channels),
    }
    every = {**model.plans.plans, "original_median_spacing_after_transp": [1.0, 1.0, 1.0], **plans}
    return SimpleNamespace(
        path=tmp_path / "model", plans=every, description=model.description, configuration=own
    )


def test_a_least_size_of_planes_for_volumes_is_refused_before_anything_is_predicted(tmp_path):
    files = save_images(tmp_path / "images", ".nii.gz", [(4, 24, 32)] * 2)
    (first,) = files["case_0"]

    def checked(size):
        options = PredictionOptions(min_size=least_size(size))
        return checked_inputs(
            first.parent, tmp_path / "masks", [trained(tmp_path)],
            options=options, progress=Progress(),
        )  # fmt: skip

    assert list(checked("40mm3").cases) == ["case_0", "case_1"] == list(checked("40").cases)
    with pytest.raises(DataError) as caught:
        checked("40mm2")
    assert str(caught.value) == (
        f"{first.parent}: case_0_0000.nii.gz, case_1_0000.nii.gz: each is a volume, which has mm3; "
        "given: --min-size 40mm2. Fix: --min-size …mm3."
    )


@pytest.mark.parametrize("name", ["OwnIO", "os", "np"])
def test_a_reader_that_nnunet_has_not(tmp_path, name):
    with pytest.raises(ModelError, match=f"image_reader_writer '{name}' is none of this nnU-Net's"):
        sound_inputs(tmp_path, trained(tmp_path, image_reader_writer=name), Progress())
