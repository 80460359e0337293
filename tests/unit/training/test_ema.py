"""The averaged weights: what they average, and that they never get lost on the way."""

import pytest
import torch
from small_training import SmallTraining
from torch import nn

from nnunet_vit.training.callbacks.ema import AveragedWeights, WeightAveraging

pytestmark = pytest.mark.unit


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    network[0].requires_grad_(False)
    return network


def moved(network, seed):
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter))


def test_it_holds_the_trained_parameters_alone(network):
    assert set(AveragedWeights(network, 0.9).values) == {"1.weight", "1.bias"}


def test_the_average_is_the_formula_with_a_decay_that_grows(network):
    average = AveragedWeights(network, 0.5)
    expected = network[1].weight.detach().clone()
    for update in range(1, 30):
        moved(network, update)
        average.update()
        decay = min(0.5, update / (update + 10))
        expected = decay * expected + (1 - decay) * network[1].weight.detach()
    torch.testing.assert_close(average.values["1.weight"], expected)
    assert average.updates == 29


def test_inside_the_network_computes_with_it_and_outside_with_its_own(network):
    average = AveragedWeights(network, 0.9)
    before = average.values["1.weight"].clone()
    moved(network, 1)
    trained = network[1].weight.detach().clone()
    with average.in_network():
        assert torch.equal(network[1].weight, before)
    assert torch.equal(network[1].weight, trained)
    assert torch.equal(average.values["1.weight"], before)


def test_an_error_inside_brings_the_trained_weights_back(network):
    average = AveragedWeights(network, 0.9)
    moved(network, 1)
    trained = network[1].weight.detach().clone()
    with pytest.raises(KeyError), average.in_network():
        raise KeyError
    assert torch.equal(network[1].weight, trained)


def test_a_restored_one_goes_on_like_the_unbroken_one(network):
    average = AveragedWeights(network, 0.99)
    for seed in range(3):
        moved(network, seed)
        average.update()
    trained = {n: p.detach().clone() for n, p in network.named_parameters() if p.requires_grad}
    kept = {name: value.clone() for name, value in average.values.items()}
    moved(network, 9)
    average.update()

    other = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    other[0].requires_grad_(False)
    later = AveragedWeights(other, 0.99)
    other.load_state_dict(kept, strict=False)  # the network of a checkpoint holds the average
    later.restore(trained, 3)
    moved(other, 9)
    later.update()
    assert torch.equal(later.values["1.weight"], average.values["1.weight"])
    assert torch.equal(other[1].weight, network[1].weight)


def test_a_run_without_it_keeps_none(tmp_path):
    averaging = WeightAveraging()
    training = SmallTraining(tmp_path, [averaging])
    training.build_network()
    training.step()
    assert averaging.average is None
    before = training.weights()
    training.tell("on_validation_start")
    with averaging.in_network():
        assert all(torch.equal(training.weights()[name], before[name]) for name in before)


def test_what_is_validated_is_the_average(tmp_path):
    averaging = WeightAveraging()
    training = SmallTraining(tmp_path, [averaging], ema=0.9)
    training.build_network()
    for _ in range(3):
        training.step()
    assert averaging.average.updates == 3
    trained = training.weights()
    expected = {name: value.clone() for name, value in averaging.average.values.items()}
    training.tell("on_validation_start")
    inside = training.weights()
    assert all(torch.equal(inside[name], expected[name]) for name in expected)
    assert any(not torch.equal(inside[name], trained[name]) for name in expected)
    training.tell("on_validation_end")
    assert all(torch.equal(training.weights()[name], trained[name]) for name in trained)
