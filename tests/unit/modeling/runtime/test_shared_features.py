"""Folds with one frozen backbone compute its features once, and predict as without that."""

import copy
from pathlib import Path

import pytest
import torch

from nnunet_vit.inference.loaded_model import networks_of_folds
from nnunet_vit.modeling.backbone import backbone_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.placement import place
from nnunet_vit.modeling.runtime.shared_features import SharedFeatures

pytestmark = pytest.mark.unit


def network(head="segformer"):
    model = {"head": head, "backbone": "timm:test_vit", "pretrained": False}
    return ViTSegmentationNetwork(3, 2, model, {}, (64, 96), [0.0] * 3, [1.0] * 3).eval()


def folds(head, *, frozen):
    """Networks of three folds whose heads differ, and whose backbones do unless frozen."""
    torch.manual_seed(0)
    first = network(head)
    states = []
    for fold in range(3):
        state = {name: value.clone() for name, value in first.state_dict().items()}
        for name, value in state.items():
            inside = "backbone" in name
            if "bridge" not in name and value.is_floating_point() and not (frozen and inside):
                value *= 1 + 0.1 * fold
        states.append(state)
    return networks_of_folds(lambda: network(head), states, Path("m"))


def counted_calls(networks):
    calls = []
    for own in networks:
        vit = backbone_of(own).model
        vit.blocks[0].register_forward_hook(lambda *_: calls.append(1))
    return calls


@pytest.mark.parametrize("head", ["segformer", "dpt", "setr", "linear"])
@pytest.mark.parametrize("frozen", [True, False])
def test_features_are_computed_once_where_backbones_are_alike(head, frozen):
    networks = folds(head, frozen=frozen)
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        expected = [copy.deepcopy(own)(images) for own in networks]
        assert not torch.equal(expected[0], expected[1])
        shared = SharedFeatures(networks)
        assert shared.shared == frozen
        calls = counted_calls(networks)
        found = [own(images) for own in networks]
        assert all(map(torch.equal, found, expected))
        assert len(calls) == (1 if frozen else 3)
        shared.forget()
        others = [own(images + 1) for own in networks]
        assert not torch.equal(others[0], found[0])
        assert len(calls) == (2 if frozen else 6)


def test_images_that_differ_are_not_taken_for_the_same():
    networks = folds("linear", frozen=True)
    networks[1].bridge.mean.add_(0.5)
    with torch.inference_mode():
        images = torch.randn(1, 3, 64, 96)
        expected = [copy.deepcopy(own)(images) for own in networks]
        assert SharedFeatures(networks).shared
        found = [own(images) for own in networks]
    assert all(map(torch.equal, found, expected))


def test_heads_that_run_the_blocks_themselves_still_predict():
    networks = folds("eomt", frozen=True)
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        expected = [copy.deepcopy(own)(images) for own in networks]
        SharedFeatures(networks)
        assert all(
            torch.equal(own(images), other) for own, other in zip(networks, expected, strict=True)
        )


def test_what_is_shared_stays_shared_on_the_device():
    networks = folds("segformer", frozen=True)
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        expected = [copy.deepcopy(own)(images) for own in networks]
        place(networks, torch.device("cpu"), torch.channels_last)
        found = [own(images) for own in networks]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    weights = [backbone_of(own).model.patch_embed.proj.weight for own in networks]
    assert len({weight.data_ptr() for weight in weights}) == 1
    assert weights[0].is_contiguous(memory_format=torch.channels_last)


def test_networks_without_a_backbone():
    plain = [torch.nn.Conv2d(3, 2, 1) for _ in range(2)]
    assert not SharedFeatures(plain).shared
    assert not SharedFeatures([network()]).shared
