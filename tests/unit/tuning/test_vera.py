"""VeRA's shared matrices: the same numbers on every machine and with every version."""

import hashlib

import pytest

pytestmark = pytest.mark.unit

# of numpy.random.RandomState(0).uniform, as float32, for layers of 64 to 192 channels at rank 4
DIGESTS = {
    "vera_A": "c11e78bcef6c98ef2c80b71b185c26c8060186f7c5a89eb5f6163121a7deebb5",
    "vera_B": "94932af394b960ac4f0f8aa38ac956dd6a2c8f69bd6f43f1d87248cd19f3e971",
}


def matrices(model):
    layer = model.blocks[0].attn.qkv
    return {name: getattr(layer, name)["default"] for name in DIGESTS}


def test_the_numbers_are_pinned(vit, tuned):
    found = matrices(tuned(vit(), "vera", r=4))
    assert {name: tuple(m.shape) for name, m in found.items()} == {
        "vera_A": (4, 64),
        "vera_B": (192, 4),
    }
    digests = {n: hashlib.sha256(m.numpy().tobytes()).hexdigest() for n, m in found.items()}
    assert digests == DIGESTS


def test_all_layers_share_them_and_no_state_holds_them(vit, tuned):
    model = tuned(vit(), "vera", r=4)
    first, other = model.blocks[0].attn.qkv, model.blocks[1].attn.qkv
    assert first.vera_A["default"] is other.vera_A["default"]
    assert not any("vera_A" in key or "vera_B" in key for key in model.state_dict())


def test_torchs_seed_changes_none_of_them(vit, tuned):
    import torch

    torch.manual_seed(5)
    one = matrices(tuned(vit(), "vera", std=0, r=4))
    torch.manual_seed(6)
    other = matrices(tuned(vit(), "vera", std=0, r=4))
    assert all(torch.equal(one[name], other[name]) for name in DIGESTS)
