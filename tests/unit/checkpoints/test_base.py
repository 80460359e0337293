"""What a checkpoint leaves to the pretrained file, and that the two belong together."""

import time

import pytest
import torch
from torch import nn

from nnunet_vit.checkpoints.base import base_digest, left_out, load_stored, stored_tensors
from nnunet_vit.errors import ModelError

pytestmark = pytest.mark.unit

FROZEN = {
    "blocks.0.qkv.weight",
    "blocks.0.qkv.bias",
    "blocks.1.qkv.weight",
    "blocks.1.qkv.bias",
}
FIX = "Fix: continue with the run file and the versions that the training was started with."


def copies(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


@pytest.fixture
def refusal():
    """`refusal(network, weights, digest)` is the error's text; the network stays as it is."""

    def load(network, weights, digest):
        before = copies(network)
        with pytest.raises(ModelError) as caught:
            load_stored(network, weights, digest)
        assert all(torch.equal(before[n], value) for n, value in network.state_dict().items())
        return str(caught.value)

    return load


def trained(network, seed=9):
    """Stored tensors with other values than the network was built with."""
    torch.manual_seed(seed)
    return {name: torch.randn_like(value) for name, value in stored_tensors(network).items()}


def test_frozen_weights_of_blocks_alone_are_left_out(network):
    built = network()
    assert left_out(built) == FROZEN
    stored = stored_tensors(built)
    assert set(stored) == set(built.state_dict()) - FROZEN
    assert {"pos_embed", "stem.weight", "head.bias", "blocks.0.seen"} <= set(stored)
    assert "blocks.1.relative_position_bias_table" in stored
    assert set(stored_tensors(built, everything=True)) == set(built.state_dict())


def test_frozen_blocks_of_the_heads_own_are_stored(network):
    class Segmenter(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = network()
            self.blocks = nn.ModuleList([nn.Linear(2, 2)]).requires_grad_(False)

    built = Segmenter()
    assert left_out(built, [built.backbone]) == {f"backbone.{name}" for name in FROZEN}
    stored = stored_tensors(built, backbones=[built.backbone])
    assert {"blocks.0.weight", "blocks.0.bias"} <= set(stored)
    weights = {name: torch.ones_like(value) for name, value in stored.items()}
    digest = base_digest(built, [built.backbone])
    load_stored(built, weights, digest, backbones=[built.backbone])
    assert torch.equal(built.blocks[0].weight, torch.ones(2, 2))


def test_trained_blocks_are_stored(network):
    built = network()
    built.blocks[1].qkv.requires_grad_(True)
    assert left_out(built) == {"blocks.0.qkv.weight", "blocks.0.qkv.bias"}
    built.blocks.requires_grad_(True)
    assert left_out(built) == set()
    assert base_digest(built) == ""


def test_tied_weights_are_left_out_by_every_name(network):
    built = network()
    built.blocks[1].qkv = built.blocks[0].qkv
    assert left_out(built) == FROZEN


def test_stored_and_base_make_the_whole_network(network):
    source, target = network(seed=1), network(seed=1)
    weights = trained(source)
    load_stored(source, weights, base_digest(source))
    load_stored(target, weights, base_digest(source))
    for name, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], value)
        assert name in FROZEN or torch.equal(value, weights[name])


def test_everything_needs_no_base(network):
    source, target = network(seed=1), network(seed=2)
    load_stored(target, stored_tensors(source, everything=True), "")
    assert all(torch.equal(v, target.state_dict()[n]) for n, v in source.state_dict().items())


def test_another_base_is_refused(network, refusal):
    source, target = network(seed=1), network(seed=2)
    digest, found = base_digest(source), base_digest(target)
    assert refusal(target, trained(source), digest) == (
        "The backbone's frozen weights are not those that the checkpoint was trained on: "
        f"digest {found[:12]}, needed {digest[:12]}. Fix: put the weights file that the run was "
        "started from where it was, or name it: predict --pretrained-weights FILE."
    )


def test_half_of_the_names(network, refusal):
    built = network()
    weights = trained(built)
    half = dict(sorted(weights.items())[::2])
    assert refusal(built, half, base_digest(built)) == (
        "The checkpoint's weights do not fit: missing blocks.0.seen, "
        f"blocks.1.seen, head.weight, … (4 in all); unexpected none. {FIX}"
    )


def test_weights_of_another_method(network, refusal):
    built, other = network(), network()
    other.blocks.requires_grad_(True)
    assert refusal(built, trained(other), base_digest(built)) == (
        "The checkpoint's weights do not fit: missing none; unexpected blocks.0.qkv.bias, "
        f"blocks.0.qkv.weight, blocks.1.qkv.bias, … (4 in all). {FIX}"
    )


def test_other_shapes_and_types(network, refusal):
    built = network()
    weights = trained(built)
    weights["head.bias"] = torch.zeros(3)
    weights["head.weight"] = weights["head.weight"].double()
    assert refusal(built, weights, base_digest(built)) == (
        "The checkpoint's weights do not fit: head.bias is float32 [3], not float32 [2], "
        f"head.weight is float64 [2, 4], not float32 [2, 4]. {FIX}"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.blocks[1].qkv.bias.data[3].add_(1e-7),
        lambda network: network.blocks[0].qkv.to(torch.float64),
        lambda network: network.blocks.append(nn.Linear(1, 1).requires_grad_(False)),
        lambda network: setattr(
            network.blocks[0].qkv, "weight", nn.Parameter(torch.ones(2, 8), requires_grad=False)
        ),
    ],
    ids=["value", "type", "block", "shape"],
)
def test_the_digest_sees_every_change_of_the_base(network, change):
    built = network()
    before = base_digest(built)
    assert before == base_digest(network())
    change(built)
    assert base_digest(built) != before


def test_the_digest_sees_nothing_else(network):
    built = network()
    before = base_digest(built)
    for name in stored_tensors(built):
        built.state_dict()[name].add_(1)
    assert base_digest(built) == before


def test_adapters_do_not_change_the_digest(network):
    from peft import LoraConfig, inject_adapter_in_model

    plain, adapted = network(), network()
    inject_adapter_in_model(LoraConfig(r=2, target_modules=["qkv"]), adapted)
    assert {name.replace(".base_layer.", ".") for name in left_out(adapted)} == FROZEN
    assert base_digest(adapted) == base_digest(plain)
    assert {n for n in stored_tensors(adapted) if "lora_" in n} == {
        f"blocks.{block}.qkv.lora_{half}.default.weight" for block in (0, 1) for half in "AB"
    }


def test_the_digest_is_quick():
    model = nn.Module()
    model.blocks = nn.ModuleList([nn.Linear(2048, 4096) for _ in range(2)])
    model.requires_grad_(False)
    start = time.perf_counter()
    base_digest(model)
    seconds = time.perf_counter() - start
    megabytes = sum(p.nbytes for p in model.parameters()) / 1e6
    assert megabytes / seconds > 60  # a ViT-L has 1200; this allows for a machine under load
