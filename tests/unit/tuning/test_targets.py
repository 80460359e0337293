"""Which layers get adapters: by name, inside the blocks, or the attention's input by default."""

import pytest

from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.tuning import named_method
from nnunet_vit.tuning.adapters.adapted_layers import target_names

pytestmark = pytest.mark.unit

DEFAULTS = {
    "eva02_base_patch14_224": ["q_proj", "k_proj", "v_proj"],
    "vit_base_patch16_xp_224": ["in_proj"],
    "vit_pwee_patch16_reg1_gap_256": ["in_proj"],
}


def run_of(*targets):
    return ViTnnUNetConfig(lora=ViTLoRAConfig(target_modules=list(targets) or None))


def adapted(model):
    return {name.partition(".lora_")[0] for name, _ in model.named_parameters() if ".lora_" in name}


def test_the_default_is_the_input_of_the_attention(tiny, variant):
    assert target_names(tiny(variant), None) == DEFAULTS.get(variant, ["qkv"])


def test_parallel_attentions_are_all_adapted(tiny):
    model = tiny("vit_base_patch16_18x2_224")
    named_method("lora").tune(model, run_of())
    assert adapted(model) == {
        f"blocks.{block}.attns.{place}.attn.qkv" for block in range(2) for place in range(2)
    }


def test_only_the_blocks_of_the_features_count(tuned):
    import timm
    import torch

    with torch.device("meta"):  # its class attention comes after the last map
        model = timm.create_model("xcit_nano_12_p16_224", num_classes=0, depth=2)
        with pytest.raises(ConfigError) as caught:
            target_names(model, ["k"])
        tuned(model, "lora", target_modules=["qkv", "proj", "fc1", "fc2"])
    assert str(caught.value).endswith("named 'k'; there are: fc1, fc2, proj, qkv.")
    assert {name.split(".")[0] for name in adapted(model)} == {"blocks"}


@pytest.mark.parametrize(
    ("target", "places"),
    [("attn.proj", {"attn.proj"}), ("fc1", {"mlp.fc1"}), ("mlp.fc2", {"mlp.fc2"})],
)
def test_a_target_may_be_written_with_its_parent(vit, target, places):
    model = vit()
    named_method("lora").tune(model, run_of(target))
    assert {name.split(".", 2)[2] for name in adapted(model)} == places


@pytest.mark.parametrize("target", ["qkvs", "qk", ".*", "norm1", "head", "patch_embed.proj", ""])
def test_an_unknown_target(vit, target):
    model = vit()
    keys = list(model.state_dict())
    with pytest.raises(ConfigError) as caught:
        named_method("lora").tune(model, run_of("qkv", target))
    assert str(caught.value) == (
        f"lora.target_modules: no linear layer of the blocks is named '{target}'; "
        "there are: fc1, fc2, proj, qkv."
    )
    assert list(model.state_dict()) == keys


def test_blocks_of_another_make_need_names(vit):
    model = vit()
    for block in model.blocks:
        block.attn.qvk = block.attn.qkv
        del block.attn.qkv
    with pytest.raises(ConfigError) as caught:
        named_method("lora").tune(model, run_of())
    assert str(caught.value) == (
        "lora.target_modules: null, but the blocks have no qkv, q_proj or in_proj. "
        "Fix: name some of their layers: fc1, fc2, proj, qvk."
    )
