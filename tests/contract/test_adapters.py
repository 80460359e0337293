"""Adapters work on every plain ViT that timm has: they go in, and each one moves the features."""

import re

import pytest

pytestmark = pytest.mark.contract

MODULES = ("vision_transformer", "eva", "deit", "beit")  # timm's, of the supported classes
IN_TIMM_1_0_22 = 228  # names
INPUTS = re.compile(r"blocks\.\d+\.(attns\.\d\.)?(attn\.)?(qkv|[qkv]_proj|in_proj)")
# each kind of block and attention
REPRESENTATIVES = (
    "aimv2_1b_patch14_224",
    "beit3_base_patch16_224",
    "beit_large_patch16_512",
    "deit3_huge_patch14_224",
    "deit_tiny_distilled_patch16_224",
    "eva02_base_patch14_224",
    "eva02_enormous_patch14_clip_224",
    "eva02_tiny_patch14_224",
    "flexivit_small",
    "test_vit3",
    "vit_7b_patch16_dinov3",
    "vit_base_patch16_18x2_224",
    "vit_base_patch16_rope_mixed_ape_224",
    "vit_base_patch16_rope_reg1_gap_256",
    "vit_base_patch16_rpn_224",
    "vit_base_patch16_siglip_512",
    "vit_base_patch16_xp_224",
    "vit_giant_patch14_dinov2",
    "vit_intern300m_patch14_448",
    "vit_mediumd_patch16_rope_reg1_gap_256",
    "vit_pe_core_gigantic_patch14_448",
    "vit_pwee_patch16_reg1_gap_256",
    "vit_small_plus_patch16_dinov3",
    "vit_small_plus_patch16_dinov3_qkvb",
)
# from 1.0.31 on: C-RADIO, TIPSv2, LingBot, EUPE, Sapiens2
NEWER = (
    "vit_base_patch14_reg1_tipsv2",
    "vit_base_patch16_radio_v3",
    "vit_base_patch16_sapiens2",
    "vit_giant_patch16_lingbot",
    "vit_so400m_patch16_radio_v4",
    "vit_tiny_patch16_dinov3_qkvb",
)


def supported() -> list[str]:
    import timm

    return [name for module in MODULES for name in timm.list_models(module=module)]


def built(name):
    """Return the model with one block, or with all of them where they are not alike."""
    import timm

    shortened = {} if "_sapiens2" in name else {"depth": 1}  # fewer keys than queries in some
    return timm.create_model(name, num_classes=0, **shortened)


def tuned(name, method, targets=None):
    """Return the model with adapters, without memory."""
    import torch

    from nnunet_vit.config.models import ViTLoRAConfig, ViTModelConfig, ViTnnUNetConfig
    from nnunet_vit.tuning import method_of

    run = ViTnnUNetConfig(
        model=ViTModelConfig(tuning=method), lora=ViTLoRAConfig(target_modules=targets)
    )
    with torch.device("meta"):
        model = built(name)
        method_of(run).tune(model, run)
    return model


def adapted(model):
    from nnunet_vit.tuning.adapters.adapter_names import adapted_layers

    return adapted_layers(model.state_dict())


def layers(name):
    """Return the last part of the name of every linear layer in the blocks."""
    import torch

    with torch.device("meta"):
        blocks = built(name).blocks
    linear = [path for path, part in blocks.named_modules() if isinstance(part, torch.nn.Linear)]
    return sorted({path.rpartition(".")[2] for path in linear})


def test_the_supported_names_are_counted():
    import timm

    assert len(supported()) >= IN_TIMM_1_0_22
    if timm.__version__ == "1.0.22":
        assert len(supported()) == IN_TIMM_1_0_22
    assert set(REPRESENTATIVES) <= set(supported())


@pytest.mark.parametrize("each", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_by_default_the_attention_of_every_supported_name_is_adapted(each):
    wrong = {}
    for name in supported()[::each]:
        model = tuned(name, "lora")  # it refuses an adapter without effect
        places = adapted(model)
        trained = {key for key, value in model.named_parameters() if value.requires_grad}
        if not places or not all(INPUTS.fullmatch(place) for place in places):
            wrong[name] = places
        if not all(".lora_" in key for key in trained):
            wrong[name] = trained
    assert wrong == {}


@pytest.mark.parametrize("method", ["lora", "rslora", "dora", "vera", "ia3"])
@pytest.mark.parametrize("name", [*REPRESENTATIVES, *NEWER])
def test_every_linear_layer_can_be_adapted(name, method):
    if name in NEWER and name not in supported():
        pytest.skip("this timm is older than the name")
    targets = layers(name)
    places = adapted(tuned(name, method, targets))
    assert {place.rpartition(".")[2] for place in places} == set(targets)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["rslora", "dora"])
def test_every_linear_layer_of_every_supported_name(method):
    for name in supported():
        targets = layers(name)
        places = adapted(tuned(name, method, targets))
        assert {place.rpartition(".")[2] for place in places} == set(targets), name
