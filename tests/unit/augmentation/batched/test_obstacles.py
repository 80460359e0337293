"""What is not known to be the same for whole batches is not done to them."""

import pytest
from batchgeneratorsv2.transforms.intensity.contrast import BGContrast
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from batchgeneratorsv2.transforms.noise.blank_rectangle import BlankRectangleTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from replayed_draws import name_of, nnunets_list

from nnunet_vit.augmentation.batched.batched_set import obstacles

pytestmark = pytest.mark.unit


class OwnGamma(GammaTransform):
    """Could do anything."""


def changed(name, **settings):
    transforms = nnunets_list(use_mask_for_norm=[True] * 3)
    for each in transforms:
        inner = getattr(each, "transform", each)
        if name_of(each) == name:
            for key, value in settings.items():
                setattr(inner, key, value)
    return obstacles(transforms)


def test_nnunets_set_has_none():
    assert (
        obstacles(nnunets_list([[1, 1]], use_mask_for_norm=[True] * 3, regions=[1, (1, 2)])) == []
    )


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (BlankRectangleTransform(((1, 2),) * 2, 0.0, 1, False, 1.0), "BlankRectangleTransform"),
        (OwnGamma(BGContrast((0.7, 1.5)), 0, False, 1, 1), "OwnGamma"),
    ],
)
def test_others(transform, text):
    for each in (transform, RandomTransform(transform)):
        found = obstacles([*nnunets_list(), each])
        assert found == [f"{text} works on single patches"]


class OwnChance(RandomTransform):
    """A chance that could depend on the image."""


def test_chance_of_another_kind():
    gamma = GammaTransform(BGContrast((0.7, 1.5)), 0, False, 1, 1)
    assert obstacles([OwnChance(gamma)]) == ["OwnChance works on single patches"]


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        ("SpatialTransform", {"p_elastic_deform": 0.2},
         "SpatialTransform with p_elastic_deform 0.2 works on single patches"),
        ("SpatialTransform", {"random_crop": True},
         "SpatialTransform with random_crop True works on single patches"),
        ("SpatialTransform", {"mode_seg": "nearest"},
         "SpatialTransform with mode_seg 'nearest' works on single patches"),
        ("SpatialTransform", {"rotation": lambda image, dim: 0},
         "SpatialTransform draws rotation by a function"),
        ("GaussianNoiseTransform", {"noise_variance": lambda image: image.std()},
         "GaussianNoiseTransform draws noise_variance by a function"),
        ("ContrastTransform", {"contrast_range": BGContrast(lambda: 1.0)},
         "ContrastTransform draws contrast_range by a function"),
        ("MirrorTransform", {"p_per_axis": 0.3},
         "MirrorTransform of the installed batchgeneratorsv2 differs in p_per_axis"),
        ("MaskImageTransform", {"channel_idx_in_seg": 1},
         "MaskImageTransform with channel_idx_in_seg 1 works on single patches"),
    ],
)  # fmt: skip
def test_settings_that_are_not_followed(name, settings, text):
    assert changed(name, **settings) == [text]
