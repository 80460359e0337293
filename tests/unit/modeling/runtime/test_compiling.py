"""Prediction compiles a network on a GPU, and only where it is asked to."""

import pytest
import torch
from torch import nn

from nnunet_vit.modeling.runtime.compiling import compiled_where_asked

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("device", "switch", "expected"),
    [("cuda", "t", True), ("cuda", "True", True), ("cuda", "f", False), ("cuda", "", False),
     ("cpu", "t", False), ("mps", "1", False)],
)  # fmt: skip
def test_where_a_network_is_compiled(device, switch, expected, monkeypatch):
    monkeypatch.setenv("nnUNet_compile", switch)
    network = nn.Linear(2, 2)
    found = compiled_where_asked(network, torch.device(device))
    assert (found is not network) == expected
    assert isinstance(found, torch._dynamo.eval_frame.OptimizedModule) == expected


def test_without_the_variable(monkeypatch):
    monkeypatch.delenv("nnUNet_compile", raising=False)
    network = nn.Linear(2, 2)
    assert compiled_where_asked(network, torch.device("cuda")) is network
