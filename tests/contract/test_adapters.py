"""Adapters work on every plain ViT that timm has: they go in, and each one moves the features."""

import re

import pytest

pytestmark = pytest.mark.contract

MODULES = ("vision_transformer", "eva", "deit", "beit")  # timm's, of the supported classes
SUPPORTED = 228  # names in timm 1.0.22
INPUTS = re.compile(r"blocks\.0\.(attns\.\d\.)?(attn\.)?(qkv|[qkv]_proj|in_proj)")
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


def supported() -> list[str]:
    import timm

    return [name for module in MODULES for name in timm.list_models(module=module)]


def tuned(name, method, targets=None):
    """Return the model with one block and with adapters, without memory."""
    import timm
    import torch

    from nnunet_vit.config.models import ViTLoRAConfig, ViTModelConfig, ViTnnUNetConfig
    from nnunet_vit.tuning import method_of

    run = ViTnnUNetConfig(
        model=ViTModelConfig(tuning=method), lora=ViTLoRAConfig(target_modules=targets)
    )
    with torch.device("meta"):
        model = timm.create_model(name, num_classes=0, depth=1)
        method_of(run).tune(model, run)
    return model


def adapted(model):
    return {name.partition(".lora_")[0] for name, _ in model.named_parameters() if ".lora_" in name}


def layers(name):
    """Return the last part of the name of every linear layer in the block."""
    import timm
    import torch

    with torch.device("meta"):
        block = timm.create_model(name, num_classes=0, depth=1).blocks[0]
    linear = [path for path, part in block.named_modules() if isinstance(part, torch.nn.Linear)]
    return sorted({path.rpartition(".")[2] for path in linear})


def test_the_supported_names_are_counted():
    assert len(supported()) == SUPPORTED
    assert set(REPRESENTATIVES) <= set(supported())


def test_by_default_the_attention_of_every_supported_name_is_adapted():
    wrong = {}
    for name in supported():
        model = tuned(name, "lora")  # it refuses an adapter without effect
        places = adapted(model)
        trained = {key for key, value in model.named_parameters() if value.requires_grad}
        if not places or not all(INPUTS.fullmatch(place) for place in places):
            wrong[name] = places
        if not all(".lora_" in key for key in trained):
            wrong[name] = trained
    assert wrong == {}


@pytest.mark.parametrize("method", ["lora", "rslora", "dora"])
@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_every_linear_layer_can_be_adapted(name, method):
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
