"""Networks of several folds: each with its own weights, what is alike in memory once."""

from pathlib import Path

import pytest
import torch
from torch import nn

from nnunet_vit.errors import ModelError
from nnunet_vit.inference.loaded_model import networks_of_folds

pytestmark = pytest.mark.unit


def network():
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))


def test_each_fold_has_its_weights_and_what_is_alike_is_there_once():
    frozen = network().state_dict()
    states = [
        {
            **{name: value.clone() for name, value in frozen.items()},
            "2.bias": torch.full((2,), fold),
        }
        for fold in (1.0, 2.0, 3.0)
    ]
    found = networks_of_folds(network, states, Path("model"))
    assert [float(own[2].bias[0].detach()) for own in found] == [1, 2, 3]
    assert len({own[0].weight.data_ptr() for own in found}) == 1
    assert len({own[2].bias.data_ptr() for own in found}) == 3
    assert len({id(own) for own in found}) == 3


def test_a_network_with_hooks_of_its_own_is_built_for_each_fold():
    def hooked():
        own = nn.Sequential(nn.Linear(2, 2))
        own.register_forward_hook(lambda module, given, output: output + own[0].bias)
        return own

    states = [{"0.weight": torch.eye(2), "0.bias": torch.full((2,), fold)} for fold in (1.0, 5.0)]
    found = networks_of_folds(hooked, states, Path("model"))
    assert [own(torch.zeros(2)).tolist() for own in found] == [[2.0, 2.0], [10.0, 10.0]]


def test_weights_of_another_network():
    with pytest.raises(ModelError, match=r"^m cannot be loaded: .*Fix: copy the model folder"):
        networks_of_folds(network, [{}], Path("m"))
    other = {**network().state_dict(), "0.weight": torch.zeros(7, 7)}
    with pytest.raises(ModelError, match=r"size mismatch for 0\.weight"):
        networks_of_folds(network, [network().state_dict(), other], Path("m"))
