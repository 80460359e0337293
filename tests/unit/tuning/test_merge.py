"""Merging: the same features without adapters, in place, as a state, and back."""

import pytest

from nnunet_vit.errors import NumericsError
from nnunet_vit.tuning.adapters.adapter_names import adapted_layers, layer_of
from nnunet_vit.tuning.adapters.merge import merge_adapters, merged_state, remove_adapters

pytestmark = pytest.mark.unit

METHODS = ["lora", "rslora", "dora", "vera", "ia3"]
STRENGTH = {"vera": 0.5, "ia3": 0.5}  # of the adapters' values here; of the others 0.1
MATTERS = {"vera": 0.001, "ia3": 0.001}  # difference of the output; of the others 0.01
TOLERANCE = 1e-5


@pytest.fixture(params=METHODS)
def method(request):
    return request.param


@pytest.fixture
def network(tiny, tuned, last_map):
    """A head around a tuned backbone, as a trained network is."""

    def build(name, method, seed=0, **more):
        import torch

        class Network(torch.nn.Module):
            def __init__(self):
                super().__init__()
                strength = STRENGTH.get(method, 0.1)
                self.backbone = tuned(tiny(name, seed), method, std=strength, **more)
                self.head = torch.nn.Conv2d(64, 2, 1)

            def forward(self):
                return self.head(last_map(self.backbone))

        return Network().eval()

    return build


def snapshot(model):
    return {key: (value.data_ptr(), value.clone()) for key, value in model.state_dict().items()}


def unchanged(model, before):
    import torch

    after = model.state_dict()
    return list(after) == list(before) and all(
        after[key].data_ptr() == place and torch.equal(after[key], value)
        for key, (place, value) in before.items()
    )


def test_merged_state_merge_and_removal_agree(network, variant, method):
    import torch

    model = network(variant, method)
    with torch.no_grad():
        output = model()
        before = snapshot(model)
        state = merged_state(model)
        assert unchanged(model, before)
        assert torch.equal(model(), output)

        other = network(variant, method, seed=1)
        remove_adapters(other)
        assert (other() - output).abs().max() > 0.01
        other.load_state_dict(state)
        merge_adapters(model)
        merged = model.state_dict()
        assert list(state) == list(merged)
        assert all(torch.equal(state[key], merged[key]) for key in merged)
        assert not any(
            mark in key for mark in ("lora", "vera", "ia3", "base_layer") for key in merged
        )
        assert (model() - output).abs().max() <= TOLERANCE
        assert torch.equal(other(), model())


def test_the_adapters_of_these_tests_matter(network, variant, method):
    import torch

    model = network(variant, method)
    with torch.no_grad():
        output = model()
        remove_adapters(model)
        assert (model() - output).abs().max() > MATTERS.get(method, 0.01)


def test_all_linear_layers_merge(network, method):
    import torch

    targets = ["qkv", "proj", "fc1", "fc2"]
    model = network("beitv2_base_patch16_224", method, target_modules=targets)
    assert len(adapted_layers(model.state_dict())) == 8
    with torch.no_grad():
        output = model()
        merge_adapters(model)
        assert (model() - output).abs().max() <= TOLERANCE


def test_the_state_holds_the_frozen_tensors_themselves(network, method):
    model = network("test_vit", method)
    own = {value.data_ptr() for value in model.state_dict().values()}
    new = [key for key, value in merged_state(model).items() if value.data_ptr() not in own]
    parts = ("weight", "bias") if method == "ia3" else ("weight",)
    assert new == [f"backbone.blocks.{n}.attn.qkv.{part}" for n in (0, 1) for part in parts]


def test_training_goes_on_after_the_state_was_taken(network, method):
    import torch

    model = network("vit_small_patch16_dinov3_qkvb", method).train()
    merged_state(model)
    parameters = dict(model.named_parameters())
    layers = adapted_layers(parameters)
    trained = {n: p for n, p in parameters.items() if p.requires_grad and layer_of(n, layers)}
    assert trained
    before = {name: value.detach().clone() for name, value in trained.items()}
    optimizer = torch.optim.SGD(trained.values(), 0.1)
    model().square().sum().backward()
    optimizer.step()
    assert all(not torch.equal(value, before[name]) for name, value in trained.items())


def test_a_state_with_the_network_wrapped(network, method):
    import torch

    model = network("test_vit", method)
    state = merged_state(torch.nn.Sequential(model))
    assert list(state) == [f"0.{key}" for key in merged_state(model)]


@pytest.mark.parametrize("name", ["test_vit", "beitv2_base_patch16_224"])
def test_without_adapters_nothing_changes(tiny, name):
    import torch

    model = tiny(name)
    before = snapshot(model)
    state = merged_state(model)
    merge_adapters(model)
    remove_adapters(model)
    assert unchanged(model, before)
    assert list(state) == list(before)
    assert all(torch.equal(state[key], value) for key, (_, value) in before.items())


@pytest.mark.parametrize("merge", [merge_adapters, merged_state])
def test_weights_that_are_not_finite(network, method, merge):
    model = network("test_vit", method)
    layer = model.backbone.blocks[1].attn.qkv
    next(value for value in layer.parameters() if value.requires_grad).data[0] = float("nan")
    with pytest.raises(NumericsError) as caught:
        merge(model)
    assert str(caught.value) == (
        "The adapter of backbone.blocks.1.attn.qkv cannot be merged: the weights are not finite. "
        "Fix: resume from an earlier checkpoint, with a lower train.initial_lr."
    )
