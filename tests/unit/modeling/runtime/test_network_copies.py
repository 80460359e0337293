"""Copies of networks: heads of this repository can be copied, what holds on to objects cannot."""

import functools

import pytest
import torch
from torch import nn

from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.network_copies import copied
from nnunet_vit.registry.catalogue import HEADS, installed

pytestmark = pytest.mark.unit


def with_attribute(value):
    module = nn.Linear(2, 2)
    module.own = value
    return nn.Sequential(module)


def with_hook(hook):
    module = nn.Linear(2, 2)
    module.register_forward_pre_hook(hook)
    return nn.Sequential(module)


def closure(value):
    return lambda *_: value


@pytest.mark.parametrize(
    "network",
    [
        with_attribute(torch.relu),
        with_attribute(functools.partial(torch.sum, dim=1)),
        with_attribute(closure(5)),
        with_attribute(closure(None)),
        with_attribute(["a", {"b": 1}]),
        with_hook(closure(None)),
    ],
)
def test_copies_compute_the_same_with_modules_of_their_own(network):
    copy = copied(network)
    given = torch.randn(3, 2)
    assert torch.equal(copy(given), network(given))
    assert copy[0] is not network[0]
    assert copy[0].weight is network[0].weight


@pytest.mark.parametrize(
    "network",
    [
        with_attribute(closure([])),
        with_attribute(closure(torch.ones(1))),
        with_attribute(functools.partial(torch.add, other=torch.ones(1))),
        with_attribute(functools.partial(closure({}))),
        with_attribute(closure(closure({}))),
        with_attribute(closure((1, {}))),
        with_hook(closure(nn.Linear(1, 1))),
    ],
)
def test_what_holds_on_to_objects_is_not_copied(network):
    assert copied(network) is None


@pytest.mark.parametrize("head", sorted(installed(HEADS)))
def test_heads_of_this_repository_are_copied(head):
    model = {"head": head, "backbone": "timm:test_vit", "pretrained": False}
    network = ViTSegmentationNetwork(3, 2, model, {}, (64, 96), [0.0] * 3, [1.0] * 3).eval()
    copy, images = copied(network), torch.randn(1, 3, 64, 96)
    assert copy is not None
    with torch.inference_mode():
        assert torch.equal(copy(images), network(images))
