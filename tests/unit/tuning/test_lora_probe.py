"""The probe for dead adapters: it costs nothing and changes nothing."""

import pytest

from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig
from nnunet_vit.tuning import lora

pytestmark = pytest.mark.unit

SMALL = 16  # numbers; rotary embeddings compute a few coordinates outside the meta device


@pytest.fixture
def tuned(vit):
    def build(name):
        model = vit(name)
        lora.tune(model, ViTnnUNetConfig(lora=ViTLoRAConfig()))
        return model

    return build


def tensors(model):
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@pytest.mark.parametrize("name", ["test_vit", "vit_small_patch16_dinov3"])
def test_the_shadow_is_a_copy_without_memory(tuned, name):
    model = tuned(name)
    shadow = lora._shadow(model)
    assert list(tensors(shadow)) == list(tensors(model))
    for key, value in tensors(model).items():
        ghost = tensors(shadow)[key]
        assert ghost.is_meta
        assert (ghost.shape, ghost.dtype) == (value.shape, value.dtype)
        assert ghost.requires_grad == value.requires_grad, key
        assert not value.is_meta


@pytest.mark.parametrize("name", ["test_vit", "vit_small_patch16_dinov3"])
def test_the_probe_makes_no_real_tensor(tuned, name):
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

    model = tuned(name)
    with Watch() as watch:
        assert lora.idle_adapters(model) == []
    assert watch.meta > 100
    assert watch.largest <= SMALL


def test_the_probe_leaves_the_model_as_it_is(tuned):
    import torch

    model = tuned("test_vit")
    before = {name: (value, value.detach().clone()) for name, value in tensors(model).items()}
    lora.idle_adapters(model)
    for name, value in tensors(model).items():
        same, copy = before[name]
        assert value is same
        assert torch.equal(value, copy)
        assert value.grad is None
    assert model.training
    images = torch.randn(1, 3, 32, 64)
    assert torch.isfinite(model.forward_features(images)).all()


def test_the_probe_names_each_dead_layer_once(tuned):
    import torch
    from torch.nn import functional

    class Past(torch.nn.Module):
        """Reads the layer's weight and leaves its forward out, as timm does for EVA."""

        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, tokens):
            return functional.linear(tokens, self.layer.weight, self.layer.bias)

    model = tuned("test_vit")
    model.blocks[3].attn.qkv = Past(model.blocks[3].attn.qkv)
    assert lora.idle_adapters(model) == ["blocks.3.attn.qkv.layer"]
