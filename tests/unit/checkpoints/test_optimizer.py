"""Optimizers that go on from stored tensors and settings as if nothing had happened."""

import json
from itertools import pairwise

import pytest
import torch
from torch import nn

from nnunet_vit.checkpoints.optimizer import optimizer_tensors, restore_optimizer
from nnunet_vit.checkpoints.store import Checkpoint
from nnunet_vit.errors import ModelError

pytestmark = pytest.mark.unit

FIX = "Fix: continue with the run file and the versions that the training was started with."
OPTIMIZERS = {
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=0.01, betas=(0.8, 0.9)),
    "sgd": lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True),
    "sgd_plain": lambda groups: torch.optim.SGD(groups, lr=0.01),
}


def built(kind="adamw", widths=(3, 4, 2), seed=0):
    torch.manual_seed(seed)
    layers = [nn.Linear(*pair) for pair in pairwise(widths)]
    model = nn.Sequential(*layers)
    groups = [
        {"params": list(layers[0].parameters()), "lr": 0.002, "weight_decay": 0.0},
        {"params": [p for layer in layers[1:] for p in layer.parameters()]},
    ]
    return model, OPTIMIZERS[kind](groups)


def train(model, optimizer, first, last, unused=None):
    for step in range(first, last):
        generator = torch.Generator().manual_seed(step)
        images = torch.randn(5, 3, generator=generator)
        optimizer.zero_grad(set_to_none=True)
        model(images).square().sum().backward()
        if unused is not None:
            list(model.parameters())[unused].grad = None
        optimizer.step()


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            assert_equal(value, other[name])
        elif isinstance(value, torch.Tensor):
            assert torch.equal(value, other[name]) and value.dtype == other[name].dtype
        else:
            assert value == other[name] and type(value) is type(other[name])


@pytest.mark.parametrize("unused", [None, 1], ids=["all", "one without gradients"])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_stored_training_goes_on_bit_by_bit(store, kind, unused):
    model, optimizer = built(kind)
    train(model, optimizer, 0, 3, unused)
    tensors, settings = optimizer_tensors(optimizer)
    store.save(Checkpoint(1, model.state_dict(), tensors, {"optimizer": settings}), best=True)
    train(model, optimizer, 3, 6, unused)

    again, fresh = built(kind, seed=1)
    found = store.latest()
    again.load_state_dict(found.weights)
    restore_optimizer(fresh, found.optimizer, found.state["optimizer"])
    train(again, fresh, 3, 6, unused)
    assert_equal(again.state_dict(), model.state_dict())
    assert_equal(fresh.state_dict(), optimizer.state_dict())


def test_names_and_settings():
    model, optimizer = built()
    train(model, optimizer, 0, 1)
    tensors, settings = optimizer_tensors(optimizer)
    assert sorted(tensors)[:3] == ["0.exp_avg", "0.exp_avg_sq", "0.step"]
    assert json.loads(json.dumps(settings))["groups"][0]["lr"] == 0.002
    assert settings["optimizer"] == "AdamW"
    assert settings["shapes"] == [[4, 3], [4], [2, 4], [2]]


def test_rates_of_the_checkpoint_win():
    _, optimizer = built()
    optimizer.param_groups[1]["lr"] = 0.5
    _, fresh = built()
    restore_optimizer(fresh, *optimizer_tensors(optimizer))
    assert [group["lr"] for group in fresh.param_groups] == [0.002, 0.5]
    assert fresh.param_groups[0]["betas"] == (0.8, 0.9)


def test_a_buffer_that_is_none_comes_back():
    _, optimizer = built("sgd")
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            optimizer.state[parameter]["momentum_buffer"] = None
    tensors, settings = optimizer_tensors(optimizer)
    assert tensors == {}
    _, fresh = built("sgd")
    restore_optimizer(fresh, tensors, json.loads(json.dumps(settings)))
    assert_equal(fresh.state_dict(), optimizer.state_dict())


def drop(tensors, settings):
    del tensors["1.exp_avg"], tensors["2.step"]


def add(tensors, settings):
    tensors["0.other"] = torch.zeros(1)


def turn(tensors, settings):
    tensors["0.exp_avg"] = tensors["0.exp_avg"].T


def regroup(tensors, settings):
    settings["groups"][1]["params"].append(settings["groups"][0]["params"].pop())


@pytest.mark.parametrize(
    ("kind", "widths", "damage", "reason"),
    [
        ("sgd", (3, 4, 2), None, "they are of AdamW, this run has SGD"),
        ("adamw", (3, 4, 2, 2), None, "they are of 4 parameters, this network 6"),
        ("adamw", (3, 5, 2), None, "parameter 0 has shape [4, 3], in this network [5, 3]"),
        ("adamw", (3, 4, 2), drop, "missing 1.exp_avg, 2.step; unexpected none"),
        ("adamw", (3, 4, 2), add, "missing none; unexpected 0.other"),
        ("adamw", (3, 4, 2), turn, "0.exp_avg has shape [3, 4], not [4, 3]"),
        ("adamw", (3, 4, 2), regroup, "the parameters are grouped in another way"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(kind, widths, damage, reason):
    model, optimizer = built()
    train(model, optimizer, 0, 2)
    tensors, settings = optimizer_tensors(optimizer)
    if damage is not None:
        damage(tensors, settings)
    _, other = built(kind, widths)
    before = other.state_dict()
    with pytest.raises(ModelError) as caught:
        restore_optimizer(other, tensors, settings)
    expected = f"The checkpoint's optimizer values do not fit: {reason}. {FIX}"
    assert str(caught.value) == expected
    assert other.state_dict() == before
