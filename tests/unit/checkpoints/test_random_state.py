"""Random numbers go on where they were."""

import json
import random

import numpy as np
import pytest
import torch

from nnunet_vit.checkpoints.random_state import random_state, restore_random_state

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def own_numbers():
    """Leave other tests the numbers that they would have drawn."""
    state = random_state()
    yield
    restore_random_state(state)


def draw():
    return (
        [random.random(), random.gauss(0, 1), random.getrandbits(70)],
        [*np.random.rand(2), np.random.randn(), np.random.randint(1 << 40)],
        [*torch.rand(3).tolist(), *torch.randperm(5).tolist(), torch.randn(()).item()],
    )


@pytest.mark.parametrize("before", [0, 1, 400])
def test_the_numbers_that_follow_are_the_same(before):
    random.seed(5)
    np.random.seed(6)
    torch.manual_seed(7)
    for _ in range(before):
        draw()
    state = json.loads(json.dumps(random_state()))
    expected = [draw(), draw()]
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    draw()
    restore_random_state(state)
    assert [draw(), draw()] == expected


def test_without_restoring_they_differ():
    state = random_state()
    first = draw()
    assert draw() != first
    restore_random_state(state)
    assert draw() == first


def test_gpus_of_another_machine_are_left_out(monkeypatch):
    state = random_state()
    used = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda value, gpu: used.append((value, gpu)))
    restore_random_state({**state, "cuda": ["AQI=", "AwQ="]})
    [(value, gpu)] = used
    assert (value.tolist(), gpu) == ([1, 2], 0)
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [value, value])
    assert random_state()["cuda"] == ["AQI=", "AQI="]
