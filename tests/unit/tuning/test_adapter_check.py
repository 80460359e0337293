"""The probe for dead adapters: it costs nothing and changes nothing."""

import pytest

from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.tuning import named_method
from nnunet_vit.tuning.adapters.adapter_check import idle_adapters
from nnunet_vit.tuning.adapters.copy_structure import copy_structure

pytestmark = pytest.mark.unit

SMALL = 16  # numbers; rotary embeddings compute a few coordinates outside the meta device


@pytest.fixture
def adapted(vit):
    def build(name):
        model = vit(name)
        named_method("lora").tune(model, ViTnnUNetConfig(lora=ViTLoRAConfig()))
        return model

    return build


def tensors(model):
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@pytest.mark.parametrize("name", ["test_vit", "vit_small_patch16_dinov3"])
def test_the_shadow_is_a_copy_without_memory(adapted, name):
    import torch

    model = adapted(name)
    shadow = copy_structure(model, lambda tensor: torch.empty_like(tensor, device="meta"))
    assert list(tensors(shadow)) == list(tensors(model))
    for key, value in tensors(model).items():
        ghost = tensors(shadow)[key]
        assert ghost.is_meta
        assert (ghost.shape, ghost.dtype) == (value.shape, value.dtype)
        assert ghost.requires_grad == value.requires_grad, key
        assert not value.is_meta


@pytest.mark.parametrize("name", ["test_vit", "vit_small_patch16_dinov3"])
def test_the_probe_makes_no_real_tensor(adapted, name):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.meta, self.largest = 0, 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            results = function(*args, **(kwargs or {}))
            for result in results if isinstance(results, tuple | list) else [results]:
                if isinstance(result, torch.Tensor):
                    self.meta += result.is_meta
                    self.largest = max(self.largest, 0 if result.is_meta else result.numel())
            return results

    model = adapted(name)
    with Watch() as watch:
        assert idle_adapters(model) == []
    assert watch.meta > 100
    assert watch.largest <= SMALL


def test_the_probe_leaves_the_model_as_it_is(adapted):
    import torch

    model = adapted("test_vit")
    before = {name: (value, value.detach().clone()) for name, value in tensors(model).items()}
    idle_adapters(model)
    for name, value in tensors(model).items():
        same, copy = before[name]
        assert value is same
        assert torch.equal(value, copy)
        assert value.grad is None
    assert model.training
    images = torch.randn(1, 3, 32, 64)
    assert torch.isfinite(model.forward_features(images)).all()


@pytest.fixture
def past():
    """`past(layer)` reads the layer's weight and leaves its forward out, as timm does for EVA."""
    import torch
    from torch.nn import functional

    class Past(torch.nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, tokens):
            return functional.linear(tokens, self.layer.weight, self.layer.bias)

    return Past


def test_the_probe_names_each_dead_layer_once(adapted, past):
    model = adapted("test_vit")
    model.blocks[3].attn.qkv = past(model.blocks[3].attn.qkv)
    assert idle_adapters(model) == ["blocks.3.attn.qkv.layer"]


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_probe_goes_on_under_gradient_checkpointing(adapted, checkpointing):
    model = adapted("test_vit")
    model.set_grad_checkpointing(checkpointing)
    assert idle_adapters(model) == []


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
@pytest.mark.parametrize("method", ["lora", "dora"])
def test_a_network_may_be_rebuilt_where_no_gradients_are_kept(vit, tuned, mode, method):
    import torch

    with getattr(torch, mode)():
        model = tuned(vit(), method, std=0)
    assert len([key for key in model.state_dict() if ".lora_A." in key]) == 6


def test_dead_adapters_are_refused_by_name(vit, past):
    model = vit()
    for number in (0, 2, 3, 5):
        model.blocks[number].attn.qkv = past(model.blocks[number].attn.qkv)
    with pytest.raises(ModelError) as caught:
        named_method("lora").tune(
            model, ViTnnUNetConfig(lora=ViTLoRAConfig(target_modules=["layer", "fc1"]))
        )
    assert str(caught.value) == (
        "Adapters have no effect on 4 layers: blocks.0.attn.qkv.layer, blocks.2.attn.qkv.layer, "
        "blocks.3.attn.qkv.layer, … (4 in all): timm reads their weights past the adapter. "
        "Fix: name other layers in lora.target_modules, for example [proj, fc1, fc2]."
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("samvit_base_patch16", {}),
        ("samvit_base_patch16_224", {"img_size": (32, 64)}),
        ("naflexvit_base_patch16_gap", {}),
        ("naflexvit_base_patch16_siglip", {"img_size": (32, 64)}),
        ("xcit_nano_12_p16_224", {"img_size": (32, 64)}),
        ("xcit_tiny_12_p8_224", {"in_chans": 1}),
        ("vit_relpos_small_patch16_224", {"img_size": (32, 64)}),
        ("vit_tiny_patch16_224", {"dynamic_img_size": True, "in_chans": 5}),
    ],
)
@pytest.mark.parametrize("method", ["lora", "dora"])
def test_other_classes_and_sizes(tuned, name, settings, method):
    import timm
    import torch

    with torch.device("meta"):
        model = tuned(timm.create_model(name, num_classes=0, depth=2, **settings), method)
    kinds = 3 if method == "dora" else 2
    assert len([key for key in model.state_dict() if ".lora_" in key]) == 2 * kinds
