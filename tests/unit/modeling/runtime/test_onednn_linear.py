"""Linear layers of oneDNN give what torch's give, and are used for inference alone."""

import copy

import pytest
import torch
from torch import nn

from nnunet_vit.modeling.runtime import onednn_linear
from nnunet_vit.modeling.runtime.network_copies import copied
from nnunet_vit.modeling.runtime.onednn_linear import OneDnnLinear, is_faster, with_onednn

pytestmark = pytest.mark.unit
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def faster(monkeypatch):
    """Use them on this machine, whatever it has, if its torch has them."""
    if not onednn_linear._computes():
        pytest.skip("this torch has no linear layer of oneDNN")
    monkeypatch.setattr(onednn_linear, "is_faster", lambda: True)


@pytest.mark.parametrize("shape", [(5, 48), (2, 9, 48), (2, 3, 4, 48), (48,), (0, 48)])
@pytest.mark.parametrize("bias", [True, False])
def test_they_give_what_torch_gives(shape, bias):
    network = nn.Sequential(nn.Linear(48, 40, bias=bias), nn.GELU(), nn.Linear(40, 7))
    given = torch.randn(shape)
    quick = copy.deepcopy(network)
    with_onednn([quick], CPU)
    with torch.inference_mode():
        expected, found = network(given), quick(given)
    assert isinstance(quick[0], OneDnnLinear)
    assert found.shape == expected.shape
    torch.testing.assert_close(found, expected)


def test_views_that_are_not_contiguous_are_read_as_they_are():
    layer = nn.Linear(6, 4)
    given = torch.randn(6, 5, 3).permute(2, 1, 0)
    expected = layer(given)
    with_onednn([layer], CPU)
    with torch.inference_mode():
        torch.testing.assert_close(layer(given), expected)


def test_gradients_autocast_and_other_types_are_torchs():
    layer = nn.Linear(6, 4)
    given = torch.randn(3, 6)
    with_onednn([layer], CPU)
    layer(given).sum().backward()
    assert layer.weight.grad is not None
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(given).dtype == torch.bfloat16
    with torch.inference_mode():
        assert layer.double()(given.double()).dtype == torch.float64


def test_classes_of_others_and_other_devices_stay():
    class Own(nn.Linear):
        """What a third party derives."""

    attention = nn.MultiheadAttention(4, 2)
    own, before = Own(4, 4), type(attention.out_proj)
    with_onednn([own, attention], CPU)
    assert type(own) is Own
    assert type(attention.out_proj) is before
    layer = nn.Linear(4, 4)
    with_onednn([layer], torch.device("cuda"))
    assert type(layer) is nn.Linear


def test_state_and_copies_are_those_of_a_linear_layer():
    layer = nn.Linear(6, 4)
    names = list(layer.state_dict())
    with_onednn([layer], CPU)
    assert list(layer.state_dict()) == names
    copy_of_it = copied(layer)
    assert type(copy_of_it) is OneDnnLinear
    assert copy_of_it.weight is layer.weight


def test_without_the_operation_nothing_changes(monkeypatch):
    def missing(*_):
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_linear_pointwise'")

    monkeypatch.setattr(onednn_linear, "_linear", missing)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    is_faster.cache_clear()
    assert not is_faster()
    is_faster.cache_clear()
