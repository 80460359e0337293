"""The input bridge: which statistics a channel gets, and what the network does with them."""

import pytest
import torch

from nnunet_vit.errors import DataError
from nnunet_vit.modeling.bridge import InputBridge, channel_statistics

pytestmark = pytest.mark.unit

MEAN, STD = (0.4, 0.5, 0.9), (0.1, 0.2, 0.6)
Z, CT = "ZScoreNormalization", "CTNormalization"
RGB, UNIT, NONE = "RGBTo01Normalization", "RescaleTo01Normalization", "NoNormalization"


@pytest.mark.parametrize(
    ("schemes", "mean", "std"),
    [
        ([Z], [0.0] * 3, [1.0] * 3),
        ([CT], [0.0] * 3, [1.0] * 3),
        ([Z, Z, Z], [0.0] * 3, [1.0] * 3),
        ([CT, Z], [0.0] * 2, [1.0] * 2),
        ([RGB, RGB, RGB], [0.4, 0.5, 0.9], [0.1, 0.2, 0.6]),
        ([UNIT, UNIT, UNIT], [0.4, 0.5, 0.9], [0.1, 0.2, 0.6]),
        ([RGB], [0.4, 0.5, 0.9], [0.1, 0.2, 0.6]),
        ([UNIT], [0.4, 0.5, 0.9], [0.1, 0.2, 0.6]),
        ([UNIT, UNIT], [0.6, 0.6], [0.3, 0.3]),
        ([RGB] * 5, [0.6] * 5, [0.3] * 5),
        ([RGB, Z, RGB], [0.4, 0.0, 0.9], [0.1, 1.0, 0.6]),
        ([RGB, RGB, RGB, Z], [0.6, 0.6, 0.6, 0.0], [0.3, 0.3, 0.3, 1.0]),
    ],
)
def test_the_statistics_of_each_channel(schemes, mean, std):
    means, stds = channel_statistics(schemes, MEAN, STD)
    assert means == pytest.approx(mean)
    assert stds == pytest.approx(std)


@pytest.mark.parametrize(
    ("schemes", "channels"),
    [
        ([NONE], "0 (NoNormalization)"),
        ([Z, NONE, RGB, NONE], "1 (NoNormalization), 3 (NoNormalization)"),
        (["MyOwn", Z, Z], "0 (MyOwn)"),
    ],
)
def test_a_channel_of_unknown_range_is_refused(schemes, channels):
    with pytest.raises(DataError) as caught:
        channel_statistics(schemes, MEAN, STD)
    assert str(caught.value) == (
        f"No normalization statistics fit input channel {channels}: its values may have any "
        "range. Fix: give model.input_mean and model.input_std, one number per input channel, or "
        "another name for the channel in dataset.json."
    )


def test_every_scheme_of_nnunet_is_known_or_refused():
    from nnunetv2.preprocessing.normalization.map_channel_name_to_normalization import (
        channel_name_to_normalization_mapping,
    )

    from nnunet_vit.modeling.bridge import STANDARDIZED, UNIT_RANGE

    schemes = {scheme.__name__ for scheme in channel_name_to_normalization_mapping.values()}
    assert schemes - {*STANDARDIZED, *UNIT_RANGE} == {NONE}


def test_each_channel_is_normalized_by_its_own_numbers():
    bridge = InputBridge([1.0, 0.0, -2.0], [2.0, 1.0, 0.5])
    images = torch.stack([torch.full((4, 6), value) for value in (5.0, 5.0, 5.0)])[None]
    normalized = bridge(images)
    assert normalized.shape == (1, 3, 4, 6)
    assert normalized[0, :, 0, 0].tolist() == [2.0, 5.0, 14.0]
    assert (normalized == normalized[:, :, :1, :1]).all()


def test_a_single_channel_is_shown_as_red_green_and_blue():
    bridge = InputBridge([1.0, 0.0, -2.0], [2.0, 1.0, 0.5], channels=1)
    assert (bridge.channels, bridge.outputs) == (1, 3)
    normalized = bridge(torch.full((2, 1, 4, 6), 5.0))
    assert normalized.shape == (2, 3, 4, 6)
    assert normalized[0, :, 0, 0].tolist() == [2.0, 5.0, 14.0]


@pytest.mark.parametrize(
    ("mean", "std", "channels"),
    [([0.0] * 3, [1.0] * 3, 2), ([0.0] * 3, [1.0] * 2, 3), ([0.0], [1.0], 3)],
)
def test_as_many_numbers_as_channels(mean, std, channels):
    with pytest.raises(ValueError) as caught:
        InputBridge(mean, std, channels)
    assert str(caught.value) == f"{len(mean)} means, {len(std)} stds for {channels} channels"


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.uint8, torch.float64])
def test_the_result_is_float32(kind):
    bridge = InputBridge([0.5], [0.25])
    assert bridge(torch.ones(2, 1, 3, 3).to(kind)).dtype == torch.float32


def test_identity_is_exact():
    images = torch.randn(2, 2, 5, 5)
    assert torch.equal(InputBridge([0.0, 0.0], [1.0, 1.0])(images), images)


def test_the_statistics_travel_with_the_weights():
    bridge = InputBridge([0.1, 0.2], [0.3, 0.4])
    other = InputBridge([0.0, 0.0], [1.0, 1.0])
    other.load_state_dict(bridge.state_dict())
    images = torch.randn(1, 2, 4, 4)
    assert torch.equal(other(images), bridge(images))
    assert list(bridge.parameters()) == []


def test_another_number_of_channels_is_refused_and_not_repeated():
    for channels, given in ((3, 1), (1, 3)):
        with pytest.raises(DataError) as caught:
            InputBridge([0.5] * 3, [0.5] * 3, channels)(torch.rand(1, given, 8, 8))
        assert str(caught.value) == (
            f"The images have {given} channels, the network {channels}. Fix: give the kind of "
            "images that the network was trained on."
        )
