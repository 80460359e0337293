"""The precision that a network computes in, on the devices that are here."""

import pytest
import torch

from nnunet_vit.errors import MachineError
from nnunet_vit.modeling.runtime import cpu_bfloat16
from nnunet_vit.modeling.runtime import precision as module
from nnunet_vit.modeling.runtime.precision import autocast_of

pytestmark = pytest.mark.unit

CPU = torch.device("cpu")


def product():
    return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("precision", "is_quick", "kind"),
    [
        ("auto", False, torch.float32),
        ("auto", True, torch.bfloat16),
        ("float32", True, torch.float32),
        ("bfloat16", False, torch.bfloat16),
    ],
)
@pytest.mark.parametrize("outside", [False, True], ids=["alone", "inside bfloat16"])
def test_on_a_cpu(monkeypatch, precision, is_quick, kind, outside):
    monkeypatch.setattr(module, "is_quick_in_bfloat16", lambda: is_quick)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=outside), autocast_of(CPU, precision):
        assert product() == kind


def test_models_of_versions_before_stay_in_float32(monkeypatch):
    monkeypatch.setattr(module, "is_quick_in_bfloat16", lambda: True)
    with autocast_of(CPU, "auto", cpu_bfloat16=False):
        assert product() == torch.float32


@pytest.mark.parametrize(("share", "expected"), [(0.2, True), (0.79, True), (0.81, False)])
def test_what_a_cpu_is_quick_in_is_measured(monkeypatch, share, expected):
    monkeypatch.setattr(cpu_bfloat16, "_quickest", lambda layers: [0.01, 0.01 * share])
    assert cpu_bfloat16.is_quick_in_bfloat16.__wrapped__() is expected


def test_the_measurement_leaves_the_threads_alone():
    before = torch.get_num_threads()
    assert 0 < cpu_bfloat16.share_of_float32() < 1000
    assert torch.get_num_threads() == before


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
