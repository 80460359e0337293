"""Every method on every kind of block: what a step moves, checkpointing, and rebuilding."""

import pytest

from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.tuning import named_method
from nnunet_vit.tuning.adapters.adapter_names import adapted_layers, layer_of

pytestmark = pytest.mark.unit

ADAPTERS = ["lora", "rslora", "dora", "vera", "ia3"]
TENSORS = {"dora": 3, "ia3": 1}  # of an adapter; of the others 2
METHODS = ["full", "last_blocks", *ADAPTERS]
ONE_BLOCK = {"trained_blocks": 1}
LAYERS = {
    "test_vit": ["qkv", "proj", "fc1", "fc2"],
    "vit_small_plus_patch16_dinov3": ["qkv", "proj", "fc1_g", "fc1_x", "fc2"],
    "vit_small_patch16_dinov3_qkvb": ["qkv", "proj", "fc1", "fc2"],
    "beitv2_base_patch16_224": ["qkv", "proj", "fc1", "fc2"],
    "vit_base_patch16_xp_224": ["in_proj", "attn_out_proj", "mlp_out_proj"],
}


def adamw(model):
    import torch

    trained = [value for value in model.parameters() if value.requires_grad]
    return torch.optim.AdamW(trained, 0.001, weight_decay=0.0)


@pytest.mark.parametrize("method", ADAPTERS)
@pytest.mark.parametrize("name", LAYERS)
def test_one_step_moves_every_adapter_and_nothing_frozen(tiny, tuned, step, name, method):
    import torch

    model = tuned(tiny(name), method, std=0, target_modules=LAYERS[name]).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    step(model, adamw(model))
    moved = {k for k, value in model.state_dict().items() if not torch.equal(value, before[k])}
    layers = adapted_layers(before)
    adapters = {key for key in before if layer_of(key, layers)}
    # VeRA starts with one vector at 0, as its paper does: the other one follows a step later
    assert moved == {key for key in adapters if ".vera_lambda_d." not in key}
    assert len(adapters) == TENSORS.get(method, 2) * 2 * len(LAYERS[name])


@pytest.mark.parametrize("method", ADAPTERS)
def test_the_base_weights_are_bitwise_those_of_before(tiny, tuned, variant, method):
    import torch

    before = tiny(variant).state_dict()
    after = tuned(tiny(variant), method).state_dict()
    weights = {key for key in before if key.endswith(".weight")}
    plain = {key.replace(".base_layer.", "."): value for key, value in after.items()}
    assert all(torch.equal(plain[key], before[key]) for key in weights)


@pytest.mark.parametrize("method", ADAPTERS)
def test_the_features_are_unchanged_at_the_start(tiny, tuned, variant, method, last_map):
    import torch

    model = tiny(variant)
    before = last_map(model)
    tuned(model, method, std=0)
    torch.testing.assert_close(last_map(model), before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ADAPTERS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_rebuilt_network_takes_the_state_of_the_trained_one(tiny, tuned, last_map, name, method):
    import torch

    trained = tuned(tiny(name), method)
    rebuilt = tuned(tiny(name, seed=1), method)
    assert not torch.allclose(last_map(rebuilt), last_map(trained), atol=0.01)
    rebuilt.load_state_dict(trained.state_dict())
    assert torch.equal(last_map(rebuilt), last_map(trained))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "name", ["test_vit", "vit_small_patch16_dinov3_qkvb", "beitv2_base_patch16_224"]
)
def test_gradient_checkpointing_gives_the_same_gradients(tiny, tuned, images, name, method):
    import torch

    def gradients(checkpointing):
        model = tuned(tiny(name), method, tuning=ONE_BLOCK).train()
        model.set_grad_checkpointing(checkpointing)
        maps = model.forward_intermediates(images(model), norm=True, intermediates_only=True)
        sum(level.square().mean() for level in maps).backward()
        return {n: value.grad for n, value in model.named_parameters() if value.requires_grad}

    plain, checkpointed = gradients(False), gradients(True)
    assert plain
    assert plain.keys() == checkpointed.keys()
    for key, value in plain.items():
        if value is not None:
            torch.testing.assert_close(checkpointed[key], value, msg=key)
    reached = {key for key, value in plain.items() if value is not None}
    assert reached == {key for key, value in checkpointed.items() if value is not None}
    assert any(value.abs().max() > 0 for value in plain.values() if value is not None)


@pytest.mark.parametrize("method", ADAPTERS)
@pytest.mark.parametrize("name", ["test_vit", "vit_small_patch16_dinov3_qkvb"])
def test_adapters_learn_in_bfloat16_with_dropout(tiny, tuned, images, last_map, name, method):
    import torch

    model = tuned(tiny(name), method, std=0.02, lora_dropout=0.1)
    with torch.no_grad():
        exact = last_map(model)
    model.train().set_grad_checkpointing(True)
    with torch.autocast("cpu", torch.bfloat16):
        last_map(model).float().square().mean().backward()
        rounded = last_map(model.eval()).float()
    trained = {n: value for n, value in model.named_parameters() if value.requires_grad}
    assert all(value.dtype == torch.float32 for value in trained.values())
    assert all(torch.isfinite(value.grad).all() for value in trained.values())
    assert all(value.grad.abs().max() > 0 for value in trained.values())
    assert (rounded - exact).abs().max() < 0.1 * exact.abs().max()


@pytest.mark.parametrize("name", LAYERS)
def test_last_blocks_train_the_end_and_nothing_else(tiny, tuned, step, name):
    import torch

    model = tuned(tiny(name), "last_blocks", tuning=ONE_BLOCK).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    step(model, adamw(model))
    moved = {k for k, value in model.state_dict().items() if not torch.equal(value, before[k])}
    end = {key for key in before if key.startswith(("blocks.1.", "norm."))}
    assert moved == end


def test_last_blocks_of_a_model_without_a_norm():
    import timm
    import torch

    with torch.device("meta"):
        model = timm.create_model("samvit_base_patch16", num_classes=0, depth=3)
    named_method("last_blocks").tune(model, ViTnnUNetConfig(model=ViTModelConfig(trained_blocks=2)))
    trained = {name for name, value in model.named_parameters() if value.requires_grad}
    assert {name.rsplit(".", len(name.split(".")) - 2)[0] for name in trained} == {
        "blocks.1",
        "blocks.2",
    }
