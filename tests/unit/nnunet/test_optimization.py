"""Optimizer and learning rate: warm-up, then nnU-Net's decay, and no state to save."""

import pytest
import torch

from nnunet_vit.config.models import ViTTrainConfig
from nnunet_vit.nnunet.optimization import WarmupPolySchedule, build_optimizer

pytestmark = pytest.mark.unit


def schedule(epochs=10, iterations=10, warmup=0.1, rate=0.01, groups=1):
    parameters = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(groups)]
    settings = ViTTrainConfig(
        num_epochs=epochs, num_iterations_per_epoch=iterations, warmup=warmup, initial_lr=rate
    )
    return WarmupPolySchedule(torch.optim.SGD(parameters, 1.0), settings)


def rates(plan):
    return [group["lr"] for group in plan.optimizer.param_groups]


def test_the_rise_is_linear_and_starts_above_zero():
    plan = schedule()
    assert [plan.rate(i) for i in range(10)] == pytest.approx([0.001 * n for n in range(1, 11)])


@pytest.mark.parametrize(
    ("iteration", "rate"),
    [
        (10, 0.01),
        (55, 0.01 * 0.5**0.9),
        (99, 0.01 * (1 / 90) ** 0.9),
        (100, 0.0),
        (150, 0.0),
    ],
)
def test_the_decay_is_polynomial(iteration, rate):
    assert schedule().rate(iteration) == pytest.approx(rate)


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
    assert rates(plan) == pytest.approx([0.001] * 3)
    plan.advance()
    assert rates(plan) == pytest.approx([0.002] * 3)


def test_the_rate_never_rises_after_the_peak_nor_falls_before():
    plan = schedule(epochs=4, iterations=25, warmup=0.3)
    values = [plan.rate(i) for i in range(101)]
    peak = values.index(max(values))
    assert values[: peak + 1] == sorted(values[: peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)
    assert values[peak] == pytest.approx(0.01)


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


def module():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 1))
    network[0].requires_grad_(False)
    return network


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_only_trained_parameters_are_optimized(name):
    network = module()
    settings = ViTTrainConfig(optimizer=name, initial_lr=0.05, weight_decay=0.01)
    (group,) = build_optimizer(network, settings).param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in network[1].parameters()]
    assert (group["lr"], group["weight_decay"]) == (0.05, 0.01)


def test_the_optimizers_are_those_that_the_run_names():
    adamw = build_optimizer(module(), ViTTrainConfig())
    assert type(adamw) is torch.optim.AdamW
    sgd = build_optimizer(module(), ViTTrainConfig(optimizer="sgd"))
    assert type(sgd) is torch.optim.SGD
    assert (sgd.param_groups[0]["momentum"], sgd.param_groups[0]["nesterov"]) == (0.99, True)
