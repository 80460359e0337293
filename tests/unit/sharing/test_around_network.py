"""What is written of a model beside its network."""

import pytest
from predicting_model import IGNORING, REGIONS, model_of

from nnunet_vit.errors import ModelError
from nnunet_vit.sharing.onnx.around_network import around_network, normalization

pytestmark = pytest.mark.unit
PROPERTIES = {"mean": 40.0, "std": 0.0, "percentile_00_5": -900.0, "percentile_99_5": 1200.0}


@pytest.mark.parametrize(
    ("scheme", "masked", "expected"),
    [
        ("ZScoreNormalization", True, {"scheme": "z_score", "nonzero_only": True}),
        ("ZScoreNormalization", False, {"scheme": "z_score", "nonzero_only": False}),
        (
            "CTNormalization",
            False,
            {"scheme": "clip_and_scale", "lower": -900, "upper": 1200, "mean": 40, "std": 1e-8},
        ),
        ("RescaleTo01Normalization", True, {"scheme": "rescale_to_0_1"}),
        ("RGBTo01Normalization", False, {"scheme": "divide_by_255"}),
        ("NoNormalization", False, {"scheme": "none"}),
    ],
)
def test_normalization(scheme, masked, expected):
    found = normalization(scheme, PROPERTIES, masked)
    assert {key: found[key] for key in expected} == expected


def test_normalization_of_ones_own():
    with pytest.raises(ModelError, match=r"normalizes by MyNormalization, whose code"):
        normalization("MyNormalization", {}, False)


def test_a_preprocessor_of_ones_own():
    model = model_of()
    model.configuration.configuration["preprocessor_name"] = "MyPreprocessor"
    with pytest.raises(ModelError, match="prepared by MyPreprocessor"):
        around_network(model)


def test_labels_and_the_one_to_ignore():
    outputs = around_network(model_of(labels=IGNORING))["outputs"]
    assert [one["name"] for one in outputs["classes"]] == ["background", "disc", "vessel"]
    assert (outputs["activation"], outputs["mask"]) == ("softmax", "highest")
    assert outputs["ignore_label"] == 3


def test_regions():
    outputs = around_network(model_of(labels=REGIONS))["outputs"]
    assert outputs["classes"] == [
        {"name": "whole", "labels": [1, 2], "value": 1},
        {"name": "core", "labels": [2], "value": 2},
    ]
    assert (outputs["activation"], outputs["mask"]) == ("sigmoid", "later_over_earlier")


def test_volumes_tell_how_they_are_resampled():
    around = around_network(model_of(".nii.gz", spacing=(0.7, 1.3), axes=None))
    assert around["preprocessing"]["spacing"] == [0.7, 1.3]
    assert around["preprocessing"]["resample"]["data"] == {
        "function": "resample_data_or_seg_to_shape",
        "order": 3,
        "order_z": 0,
    }
    assert around["preprocessing"]["resample"]["probabilities"]["order"] == 1
    assert around["tiles"] == {
        "size": [24, 32],
        "step": 0.5,
        "gaussian": {"sigma": 0.125, "peak": 10.0},
        "mirror_axes": [],
        "sums": "float16",
    }
