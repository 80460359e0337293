"""Optimizer and learning rates: a rate per part, warm-up, decay, and no state to save."""

import pytest
import torch

from nnunet_vit.config.models import ViTTrainConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.vit import timm_models
from nnunet_vit.training.optimization import WarmupSchedule, build_optimizer, parameter_groups

pytestmark = pytest.mark.unit


def schedule(epochs=10, iterations=10, warmup=0.1, rate=0.01, groups=1, decay="poly"):
    parameters = [
        {"params": [torch.nn.Parameter(torch.zeros(1))], "initial_lr": rate / (number + 1)}
        for number in range(groups)
    ]
    settings = ViTTrainConfig(
        num_epochs=epochs,
        num_iterations_per_epoch=iterations,
        warmup=warmup,
        initial_lr=rate,
        schedule=decay,
    )
    return WarmupSchedule(torch.optim.SGD(parameters, 1.0), settings)


def rates(plan):
    return [group["lr"] for group in plan.optimizer.param_groups]


def test_the_rise_is_linear_and_starts_above_zero():
    plan = schedule()
    assert [plan.factor(i) for i in range(10)] == pytest.approx([0.1 * n for n in range(1, 11)])


@pytest.mark.parametrize(
    ("iteration", "share"), [(10, 1), (55, 0.5**0.9), (99, (1 / 90) ** 0.9), (100, 0), (150, 0)]
)
def test_the_decay_is_polynomial(iteration, share):
    assert schedule().factor(iteration) == pytest.approx(share)


@pytest.mark.parametrize(
    ("iteration", "share"), [(10, 1), (40, 0.75), (55, 0.5), (70, 0.25), (100, 0), (150, 0)]
)
def test_or_half_a_cosine(iteration, share):
    assert schedule(decay="cosine").factor(iteration) == pytest.approx(share)


def test_no_warm_up_is_nnunets_own_schedule_at_each_epoch():
    from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler

    plan = schedule(epochs=7, iterations=3, warmup=0.0)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.01)
    theirs = PolyLRScheduler(optimizer, 0.01, 7)
    for epoch in range(7):
        plan.step(epoch)
        theirs.step(epoch)
        assert rates(plan) == pytest.approx([optimizer.param_groups[0]["lr"]])


def test_each_iteration_sets_all_groups():
    plan = schedule(groups=3)
    plan.step(0)
    assert rates(plan) == pytest.approx([0.001, 0.001 / 2, 0.001 / 3])
    plan.advance()
    assert rates(plan) == pytest.approx([0.002, 0.002 / 2, 0.002 / 3])


def test_the_rate_never_rises_after_the_peak_nor_falls_before():
    plan = schedule(epochs=4, iterations=25, warmup=0.3)
    values = [plan.factor(i) for i in range(101)]
    peak = values.index(max(values))
    assert values[: peak + 1] == sorted(values[: peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)
    assert values[peak] == pytest.approx(1)


@pytest.mark.parametrize("epoch", [1, 4, 9])
def test_a_resumed_run_has_the_rates_of_an_unbroken_one(epoch):
    unbroken = schedule()
    seen = []
    for number in range(10):
        unbroken.step(number)
        for _ in range(10):
            seen.append(rates(unbroken))
            unbroken.advance()
    resumed, later = schedule(), []
    for number in range(epoch, 10):
        resumed.step(number)
        for _ in range(10):
            later.append(rates(resumed))
            resumed.advance()
    assert later == seen[10 * epoch :]


@pytest.mark.parametrize("warmup", [0.0, 0.4, 0.99])
def test_one_short_epoch(warmup):
    plan = schedule(epochs=1, iterations=1, warmup=warmup)
    plan.step(0)
    assert 0 < rates(plan)[0] <= 0.01


class Network(torch.nn.Module):
    """A ViT of timm and a head, as the trainer's network holds them."""

    def __init__(self, name="test_vit"):
        super().__init__()
        self.backbone = timm_models.build_timm(name, (32, 32), 3)
        self.head = torch.nn.Linear(64, 2)


@pytest.fixture
def network():
    return Network()


def rate_of(groups, parameter):
    (group,) = [g for g in groups if any(p is parameter for p in g["params"])]
    return group["initial_lr"]


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_only_trained_parameters_are_optimized_each_once(network, name):
    network.backbone.blocks[0].requires_grad_(False)
    optimizer = build_optimizer(network, ViTTrainConfig(optimizer=name, initial_lr=0.05))
    given = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(given) == sorted(id(p) for p in network.parameters() if p.requires_grad)
    assert {group["initial_lr"] for group in optimizer.param_groups} == {0.05}


def test_the_heads_rate_comes_first_it_is_what_nnunet_logs(network):
    settings = ViTTrainConfig(initial_lr=0.01, backbone_lr=0.001)
    first = build_optimizer(network, settings).param_groups[0]
    assert {id(p) for p in first["params"]} <= {id(p) for p in network.head.parameters()}
    assert first["initial_lr"] == 0.01


def test_head_and_backbone_have_their_own_rates(network):
    groups = parameter_groups(network, ViTTrainConfig(initial_lr=0.01, backbone_lr=0.001))
    assert rate_of(groups, network.head.bias) == 0.01
    assert all(rate_of(groups, p) == 0.001 for p in network.backbone.parameters())


@pytest.mark.parametrize("name", ["test_vit", "vit_tiny_patch16_224", "beit_base_patch16_224"])
def test_each_block_learns_slower_than_the_one_above(name):
    with torch.device("meta"):
        network = Network(name)
    settings = ViTTrainConfig(initial_lr=0.1, backbone_lr=0.01, layer_decay=0.5)
    groups = parameter_groups(network, settings)
    blocks = network.backbone.blocks
    rates = [{rate_of(groups, p) for p in block.parameters()} for block in blocks]
    assert all(len(of_block) == 1 for of_block in rates)
    (top,) = rates[-1]
    expected = [top * 0.5 ** (len(blocks) - 1 - i) for i in range(len(blocks))]
    assert [rate for (rate,) in rates] == pytest.approx(expected)
    assert top in (0.005, 0.01)  # beit's final norm is left out, so that its last block is on top
    stem = rate_of(groups, network.backbone.patch_embed.proj.weight)
    assert stem == pytest.approx(expected[0] * 0.5)
    assert rate_of(groups, network.head.weight) == 0.1


def test_adapters_have_the_rate_of_their_block(network):
    from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig
    from nnunet_vit.tuning import named_method

    named_method("lora").tune(network.backbone, ViTnnUNetConfig(lora=ViTLoRAConfig(r=2)))
    groups = parameter_groups(network, ViTTrainConfig(initial_lr=0.1, layer_decay=0.5))
    rates = [
        rate_of(groups, block.attn.qkv.lora_A["default"].weight)
        for block in network.backbone.blocks
    ]
    assert rates == sorted(rates)
    assert rates[1] == pytest.approx(2 * rates[0])


def test_biases_norms_and_positions_do_not_decay(network):
    groups = parameter_groups(network, ViTTrainConfig(weight_decay=0.1))
    kept = [p for group in groups if group["weight_decay"] == 0 for p in group["params"]]
    others = [p for group in groups if group["weight_decay"] == 0.1 for p in group["params"]]
    assert {id(network.backbone.pos_embed), id(network.head.bias)} <= {id(p) for p in kept}
    assert all(p.ndim > 1 for p in others) and len(others) > 5


def test_factors_around_one_do_not_decay(network):
    from nnunet_vit.config.models import ViTLoRAConfig, ViTnnUNetConfig
    from nnunet_vit.tuning import named_method

    named_method("ia3").tune(network.backbone, ViTnnUNetConfig(lora=ViTLoRAConfig()))
    groups = parameter_groups(network, ViTTrainConfig(weight_decay=0.1))
    kept = {id(p) for group in groups if group["weight_decay"] == 0 for p in group["params"]}
    factors = [p for name, p in network.backbone.named_parameters() if ".ia3_l." in name]
    assert factors and {id(p) for p in factors} <= kept


def test_the_optimizers_are_those_that_the_run_names(network):
    assert type(build_optimizer(network, ViTTrainConfig())) is torch.optim.AdamW
    sgd = build_optimizer(network, ViTTrainConfig(optimizer="sgd"))
    assert type(sgd) is torch.optim.SGD
    assert (sgd.param_groups[0]["momentum"], sgd.param_groups[0]["nesterov"]) == (0.99, True)


def test_a_detail_branch_of_timm_belongs_to_the_head(network):
    import timm

    network.detail = timm.create_model("test_resnet", num_classes=0)
    settings = ViTTrainConfig(initial_lr=0.01, backbone_lr=0.001, layer_decay=0.5)
    groups = parameter_groups(network, settings)
    assert {rate_of(groups, p) for p in network.detail.parameters()} == {0.01}
    assert max(rate_of(groups, p) for p in network.backbone.parameters()) == 0.001


@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        ({"backbone_lr": 0.1}, "train.backbone_lr"),
        ({"layer_decay": 0.9}, "train.layer_decay"),
        ({"backbone_lr": 0.1, "layer_decay": 0.9}, "train.backbone_lr and train.layer_decay"),
    ],
)
def test_rates_of_a_backbone_that_is_not_there(settings, keys):
    with pytest.raises(ConfigError) as caught:
        parameter_groups(torch.nn.Linear(2, 2), ViTTrainConfig(**settings))
    neutral = {"train.backbone_lr": "null", "train.layer_decay": "1"}
    fix = " and ".join(f"{key}: {neutral[key]}" for key in keys.split(" and "))
    assert str(caught.value) == (
        f"{keys}: this network has no ViT of timm, so nothing would take it. Fix: {fix}, or choose "
        "a head that takes the argument `backbone`."
    )
    assert parameter_groups(torch.nn.Linear(2, 2), ViTTrainConfig())


def test_progress_is_the_share_of_all_iterations():
    plan = schedule(epochs=4, iterations=5)
    plan.step(epoch=2)
    plan.advance()
    assert plan.progress == pytest.approx(11 / 20)
