"""What the ViT sees is what its weights were trained on: nnU-Net's part and ours together.

A uniform picture goes through nnU-Net's own normalization and the input bridge on one side, and
through the transform that belongs to the weights on the other.
"""

import numpy as np
import pytest
import torch

from nnunet_vit.backbones import own_families
from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.input_normalization import input_statistics
from nnunet_vit.modeling.bridge import InputBridge
from nnunet_vit.modeling.vit.timm_models import inspect_timm

pytestmark = pytest.mark.contract

GREY, COLOUR = (121, 121, 121), (200, 90, 33)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
# as the publishers' own code has them; timm has other weights under the names of these models
BY_HAND = {
    "retfound": dict.fromkeys(own_families()["retfound"].sizes, IMAGENET),
    "visionfm": {
        "fundus": ((0.423737, 0.260946, 0.128404), (0.294825, 0.201674, 0.136680)),
        "oct": ((0.210919,) * 3, (0.175989,) * 3),
        "ffa": ((0.202049, 0.202051, 0.202011), (0.174060, 0.174042, 0.174012)),
        "ubm": ((0.096111,) * 3, (0.209779,) * 3),
        "external": ((0.493625, 0.363248, 0.259570), (0.320010, 0.271094, 0.219916)),
        "slit_lamp": ((0.555667, 0.402886, 0.388579), (0.265167, 0.233112, 0.239036)),
        "mri": ((0.173689,) * 3, (0.161987,) * 3),
        "ultrasound": ((0.059892, 0.059787, 0.056695), (0.154277, 0.155049, 0.144646)),
    },
}
FAMILIES = [(family.name, size) for family in own_families().values() for size in family.sizes]
TAGS = {
    "vit_base_patch16_224.augreg_in21k": (0.5, 0.5, 0.5),
    "vit_base_patch16_224.mae": IMAGENET[0],
    "vit_base_patch16_clip_224.openai": (0.48145466, 0.4578275, 0.40821073),
    "vit_base_patch16_clip_224.laion2b": (0.48145466, 0.4578275, 0.40821073),
    "vit_large_patch16_dinov3.sat493m": (0.43, 0.411, 0.296),
    "vit_base_patch16_224_miil.in21k": (0.0, 0.0, 0.0),
    "eva02_tiny_patch14_224.mim_in22k": (0.48145466, 0.4578275, 0.40821073),
    "vit_base_patch16_siglip_224.webli": (0.5, 0.5, 0.5),
}
# weights of families that timm has from 1.0.31 on
NEWER_TAGS = {
    "vit_base_patch14_reg1_tipsv2.webli": (0.0, 0.0, 0.0),
    "vit_base_patch16_lingbot.robbyant": IMAGENET[0],
    "vit_base_patch16_radio_v3.c_radio": (0.48145466, 0.4578275, 0.40821073),
    "vit_tiny_patch16_dinov3_qkvb.eupe_lvd1689m": IMAGENET[0],
}


def normalized_by_nnunet(channel_names, colour):
    """Return the preprocessed picture (1, C, 8, 8), each channel by nnU-Net's own class."""
    from nnunetv2.preprocessing.normalization.map_channel_name_to_normalization import (
        get_normalization_scheme,
    )

    channels = []
    for name, value in zip(channel_names, colour, strict=False):
        pixels = np.full((1, 8, 8), value, np.float32)
        if get_normalization_scheme(name).__name__ == "RescaleTo01Normalization":
            # what is white and black in the picture decides there: not part of what is compared
            pixels[0, 0, :2] = (0, 255)
        channels.append(get_normalization_scheme(name)(None, {}).run(pixels))
    return torch.from_numpy(np.concatenate(channels))[None]


def seen_by_the_vit(backbone, size, channel_names, colour):
    names = {str(number): name for number, name in enumerate(channel_names)}
    dataset = Dataset("Dataset001_Any", {"channel_names": names}, None)
    model = ViTModelConfig(backbone=backbone, backbone_size=size)
    run = ViTnnUNetConfig(model=model)
    statistics = input_statistics(dataset, run, facts_of(backbone))
    bridge = InputBridge(*statistics.per_channel, len(channel_names))
    seen = bridge(normalized_by_nnunet(channel_names, colour))
    assert seen.shape == (1, 3, 8, 8)
    return seen[0, :, 4, 4]


def facts_of(backbone):
    return inspect_timm(backbone.removeprefix("timm:")) if backbone.startswith("timm:") else None


def transformed(timm_name, colour):
    """Return what timm's transform of these weights makes of the picture, by channel."""
    import timm
    from PIL import Image

    settings = timm.data.resolve_data_config(timm.get_pretrained_cfg(timm_name).to_dict())
    picture = timm.data.create_transform(**settings)(Image.new("RGB", (64, 64), colour))
    return picture[:, 4, 4]


def expected(backbone, size, colour):
    if backbone in BY_HAND:
        mean, std = (torch.tensor(numbers) for numbers in BY_HAND[backbone][size])
        return (torch.tensor(colour) / 255 - mean) / std
    return transformed(own_families()[backbone].timm_name_of(size), colour)


@pytest.mark.parametrize(("backbone", "size"), FAMILIES, ids=["-".join(one) for one in FAMILIES])
@pytest.mark.parametrize("scheme", ["rgb_to_0_1", "rescale_to_0_1"])
def test_every_family_and_size(backbone, size, scheme):
    for colour in (GREY, COLOUR):
        seen = seen_by_the_vit(backbone, size, [scheme] * 3, colour)
        assert torch.allclose(seen, expected(backbone, size, colour), atol=1e-5)
    seen = seen_by_the_vit(backbone, size, [scheme], GREY[:1])
    assert torch.allclose(seen, expected(backbone, size, GREY), atol=1e-5)


@pytest.mark.parametrize("name", [*TAGS, *NEWER_TAGS])
def test_timm_models_by_their_tag(name):
    import timm

    if name in NEWER_TAGS and name not in timm.list_pretrained():
        pytest.skip("this timm is older than the weights")
    assert facts_of(f"timm:{name}").mean == pytest.approx((TAGS | NEWER_TAGS)[name])
    for colour in (GREY, COLOUR):
        seen = seen_by_the_vit(f"timm:{name}", None, ["rgb_to_0_1"] * 3, colour)
        assert torch.allclose(seen, transformed(name, colour), atol=1e-5)
    seen = seen_by_the_vit(f"timm:{name}", None, ["rgb_to_0_1"], GREY[:1])
    assert torch.allclose(seen, transformed(name, GREY), atol=1e-5)


def test_the_tags_differ():
    """Else a bridge with one set of numbers would pass."""
    assert len({tuple(transformed(name, GREY).tolist()) for name in TAGS}) == 5


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_standardized_channels_stay_as_nnunet_made_them(channels):
    names = {str(number): "MRI" for number in range(channels)}
    dataset = Dataset("Dataset001_Any", {"channel_names": names}, None)
    statistics = input_statistics(dataset, ViTnnUNetConfig(), None)
    images = torch.randn(1, channels, 4, 4)
    seen = InputBridge(*statistics.per_channel, channels)(images)
    assert torch.equal(seen, images.expand_as(seen))
    assert seen.shape[1] == (3 if channels == 1 else channels)
