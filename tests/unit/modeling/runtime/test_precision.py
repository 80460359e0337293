"""The precision that a network computes in, on the devices that are here."""

import pytest
import torch

from nnunet_vit.errors import MachineError
from nnunet_vit.modeling.runtime.precision import autocast_of

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")


def product():
    return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("precision", "kind"),
    [("auto", torch.float32), ("float32", torch.float32), ("bfloat16", torch.bfloat16)],
)
@pytest.mark.parametrize("outside", [False, True], ids=["alone", "inside bfloat16"])
def test_on_a_cpu(precision, kind, outside):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=outside), autocast_of(CPU, precision):
        assert product() == kind


@pytest.mark.parametrize(
    ("precision", "has_it", "enabled"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("bfloat16", True, True),
        ("float32", True, False),
        ("float32", False, False),
    ],
)
def test_on_a_gpu(monkeypatch, precision, has_it, enabled):
    """The context is looked at, not entered: there need be no GPU."""
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_it)
    monkeypatch.setattr(torch, "autocast", lambda device, **settings: (device, settings))
    assert autocast_of(torch.device("cuda"), precision) == (
        "cuda",
        {"dtype": torch.bfloat16, "enabled": enabled},
    )


def test_a_gpu_without_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    with pytest.raises(MachineError) as caught:
        autocast_of(torch.device("cuda"), "bfloat16")
    assert str(caught.value) == (
        "model.precision: this GPU has no bfloat16. Fix: model.precision: auto, or float32."
    )
