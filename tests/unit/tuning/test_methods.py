"""Which method a run asks for; frozen, full and the last blocks."""

import pytest

from nnunet_vit.config.models import ViTLoRAConfig, ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.tuning import method_name, method_of, named_method, own_methods

pytestmark = pytest.mark.unit

ALL = ["dora", "frozen", "full", "ia3", "last_blocks", "lora", "rslora", "vera"]


def run_of(freeze=False, adapters=False, tuning=None, blocks=4):
    model = ViTModelConfig(freeze_backbone=freeze, tuning=tuning, trained_blocks=blocks)
    return ViTnnUNetConfig(model=model, lora=ViTLoRAConfig(enabled=adapters))


def trained(model):
    return {name for name, value in model.named_parameters() if value.requires_grad}


def test_the_methods_are_the_files_of_the_folder():
    methods = own_methods()
    assert list(methods) == ALL
    assert all(name == method.name and method.summary for name, method in methods.items())
    adapted = {name for name, method in methods.items() if method.uses_adapters}
    assert adapted == {"dora", "ia3", "lora", "rslora", "vera"}
    assert {n for n, method in methods.items() if method.leaves_backbone} == {"frozen"}


@pytest.mark.parametrize(
    ("freeze", "adapters", "method"),
    [
        (False, False, "full"),
        (True, False, "frozen"),
        (False, True, "lora"),
        (True, True, "lora"),
    ],
)
def test_the_older_keys_keep_their_meaning(freeze, adapters, method):
    run = run_of(freeze, adapters)
    assert method_of(run) is named_method(method)
    assert method_name(run) == method


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("adapters", [False, True])
def test_a_named_method_wins(name, adapters):
    assert method_of(run_of(adapters=adapters, tuning=name)) is named_method(name)


@pytest.mark.parametrize(
    ("name", "hint"), [("lore", " Did you mean 'lora'?"), ("x", ""), ("adapters", "")]
)
def test_an_unknown_method(name, hint):
    with pytest.raises(ConfigError) as caught:
        method_of(run_of(tuning=name))
    fix = f" Fix: choose one of them, or install the package that brings '{name}'."
    assert str(caught.value) == (
        f"model.tuning: there is no method '{name}'.{hint} "
        f"Methods: dora, frozen, full, ia3, last_blocks, lora, rslora, vera.{fix * (not hint)}"
    )


def test_frozen_nothing_of_the_backbone_trains(vit):
    import torch

    model = vit()
    named_method("frozen").tune(model, run_of(freeze=True))
    assert not trained(model)
    head = torch.nn.Conv2d(64, 2, 1)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([*model.parameters(), *head.parameters()], 0.1, weight_decay=0.1)
    (features,) = model.forward_intermediates(
        torch.randn(1, 3, 32, 64), indices=1, intermediates_only=True
    )
    head(features).square().sum().backward()
    optimizer.step()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert head.weight.grad.abs().max() > 0


def test_full_everything_trains(vit, step):
    import torch

    model = vit().requires_grad_(False)
    named_method("full").tune(model, run_of())
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    step(model, torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0))
    moved = {n for n, value in model.named_parameters() if not torch.equal(value, before[n])}
    assert moved == set(before)


@pytest.mark.parametrize("blocks", [1, 4, 6])
def test_as_many_last_blocks_train_as_the_run_says(vit, blocks):
    model = vit()
    named_method("last_blocks").tune(model, run_of(blocks=blocks))
    parts = {name.split(".")[0] for name in trained(model)}
    numbers = {int(name.split(".")[1]) for name in trained(model) if name.startswith("blocks.")}
    assert parts == {"blocks", "norm"}
    assert numbers == set(range(6 - blocks, 6))
    assert all(
        value.requires_grad for block in numbers for value in model.blocks[block].parameters()
    )


def test_more_last_blocks_than_there_are(vit):
    model = vit()
    with pytest.raises(ConfigError) as caught:
        named_method("last_blocks").tune(model, run_of(blocks=7))
    assert str(caught.value) == (
        "model.trained_blocks: given 7; the backbone has 6 blocks. "
        "Fix: a number from 1 to 6; model.tuning: full trains everything."
    )
    assert all(value.requires_grad for value in model.parameters())


@pytest.mark.parametrize("method", ["frozen", "full", "last_blocks"])
def test_they_change_neither_class_nor_keys(vit, method):
    model = vit()
    keys, kind = list(model.state_dict()), type(model)
    named_method(method).tune(model, run_of())
    assert (list(model.state_dict()), type(model)) == (keys, kind)
