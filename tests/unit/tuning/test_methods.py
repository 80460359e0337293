"""Which method a run asks for; frozen and full fine-tuning."""

import pytest

from nnunet_vit.config.models import ViTLoRAConfig, ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.tuning import frozen, full, lora, method_of, methods

pytestmark = pytest.mark.unit


def run_of(freeze=False, adapters=False):
    return ViTnnUNetConfig(
        model=ViTModelConfig(freeze_backbone=freeze), lora=ViTLoRAConfig(enabled=adapters)
    )


def test_the_methods_are_the_files_of_the_folder():
    assert methods() == {"frozen": frozen, "full": full, "lora": lora}
    assert all(name == method.NAME and method.SUMMARY for name, method in methods().items())
    priorities = [method.PRIORITY for method in methods().values()]
    assert len(set(priorities)) == len(priorities)


@pytest.mark.parametrize(
    ("freeze", "adapters", "method"),
    [(False, False, full), (True, False, frozen), (False, True, lora), (True, True, lora)],
)
def test_the_method_of_a_run(freeze, adapters, method):
    assert method_of(run_of(freeze, adapters)) is method


def test_frozen_nothing_of_the_backbone_trains(vit):
    import torch

    model = vit()
    frozen.tune(model, run_of(freeze=True))
    assert not any(parameter.requires_grad for parameter in model.parameters())
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
    full.tune(model, run_of())
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    step(model, torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0))
    moved = {n for n, value in model.named_parameters() if not torch.equal(value, before[n])}
    assert moved == set(before)


@pytest.mark.parametrize("method", [frozen, full])
def test_they_change_neither_class_nor_keys(vit, method):
    model = vit()
    keys, kind = list(model.state_dict()), type(model)
    method.tune(model, run_of())
    assert (list(model.state_dict()), type(model)) == (keys, kind)
