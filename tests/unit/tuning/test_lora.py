"""LoRA on real timm ViTs with real peft: what trains, where it goes, and what is refused."""

import pytest

from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig
from nnunet_vit.tuning import named_method
from nnunet_vit.tuning.adapters.adapter_check import idle_adapters

pytestmark = pytest.mark.unit

ALL = ["qkv", "proj", "fc1", "fc2"]


def run_of(*targets, **more):
    return ViTnnUNetConfig(lora=ViTLoRAConfig(target_modules=list(targets) or ["qkv"], **more))


def adapters(model):
    return {name for name, _ in model.named_parameters() if ".lora_" in name}


def moved(model, before):
    import torch

    return {n for n, value in model.named_parameters() if not torch.equal(value, before[n])}


@pytest.mark.parametrize("name", ["test_vit", "vit_small_patch16_dinov3"])
def test_after_one_step_every_adapter_has_moved_and_nothing_frozen(vit, step, name):
    import torch

    model = vit(name)
    named_method("lora").tune(model, run_of(*ALL, lora_dropout=0.0))
    tensors = adapters(model)
    assert len(tensors) == 2 * len(ALL) * len(model.blocks)
    before = {n: value.detach().clone() for n, value in model.named_parameters()}
    trained = [value for value in model.parameters() if value.requires_grad]
    step(model, torch.optim.AdamW(trained, 0.001, weight_decay=0.0))
    parameters = dict(model.named_parameters())
    assert all(parameters[n].grad.count_nonzero() > 0 for n in tensors)
    assert moved(model, before) == tensors


def test_an_odd_rank_starts_with_b_at_zero_and_a_follows(vit, step):
    import torch

    model = vit()
    named_method("lora").tune(model, run_of(r=3, lora_dropout=0.0))
    tensors = adapters(model)
    before = {n: value.detach().clone() for n, value in model.named_parameters()}
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, 0.001, weight_decay=0.0)
    step(model, optimizer)
    assert moved(model, before) == {tensor for tensor in tensors if ".lora_B." in tensor}
    step(model, optimizer)
    assert moved(model, before) == tensors


@pytest.mark.parametrize("rank", [3, 8])
def test_the_features_are_unchanged_at_the_start(vit, rank):
    import torch

    model = vit().eval()
    images = torch.randn(1, 3, 32, 64)
    before = model.forward_features(images)
    named_method("lora").tune(model, run_of(*ALL, r=rank))
    torch.testing.assert_close(model.eval().forward_features(images), before, rtol=0, atol=1e-5)


def test_rank_scale_and_dropout_are_the_runs(vit):
    model = vit()
    named_method("lora").tune(model, run_of(r=4, lora_alpha=6.0, lora_dropout=0.25))
    layer = model.blocks[0].attn.qkv
    assert layer.lora_A["default"].weight.shape == (4, 64)
    assert layer.lora_B["default"].weight.shape == (192, 4)
    assert layer.scaling["default"] == 1.5
    assert layer.lora_dropout["default"].p == 0.25


@pytest.mark.parametrize(("method", "scale"), [("lora", 2.0), ("rslora", 8.0), ("dora", 2.0)])
def test_the_scale_of_each_method(vit, tuned, method, scale):
    layer = tuned(vit(), method, r=16, lora_alpha=32.0).blocks[0].attn.qkv
    assert layer.scaling["default"] == scale


def test_dora_starts_at_the_lengths_of_the_pretrained_rows(vit, tuned):
    import torch

    model = vit()
    weight = model.blocks[0].attn.qkv.weight.detach().clone()
    layer = tuned(model, "dora", std=0).blocks[0].attn.qkv
    lengths = layer.lora_magnitude_vector["default"].weight
    assert lengths.requires_grad
    torch.testing.assert_close(lengths, weight.norm(dim=1))


def test_the_class_and_the_base_weights_stay(vit):
    import torch

    model = vit()
    kind, before = type(model), {n: value.clone() for n, value in model.state_dict().items()}
    named_method("lora").tune(model, run_of())
    assert type(model) is kind
    after = model.state_dict()
    for name, value in before.items():
        kept = name.replace(".qkv.", ".qkv.base_layer.")
        assert torch.equal(after[kept], value), name


def test_only_the_layers_of_the_blocks_are_changed(vit):
    model = vit()
    named_method("lora").tune(model, run_of("proj"))
    assert type(model.patch_embed.proj).__name__ == "Conv2d"
    places = {name.partition(".lora_")[0] for name in adapters(model)}
    assert places == {f"blocks.{number}.attn.proj" for number in range(6)}
    assert not any(value.requires_grad for value in model.patch_embed.parameters())


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("vit_small_patch16_dinov3", (32, 64)),
        ("vit_small_patch14_dinov2", (28, 56)),
        ("test_vit2", None),
    ],
)
def test_the_families_default_target_works(vit, name, size):
    model = vit(name, size)
    named_method("lora").tune(model, run_of())
    assert idle_adapters(model) == []
    assert len(adapters(model)) == 2 * len(model.blocks)


def test_other_input_channels(vit):
    model = vit(channels=5)
    named_method("lora").tune(model, run_of())
    assert idle_adapters(model) == []
