"""Predicted memory beside a real training step: sizes of ViTs and images, methods, heads."""

import pytest
from measured_steps import STATISTICS, described, measured, run_of

pytestmark = pytest.mark.unit

BACKBONES = [
    "timm:vit_small_patch16_224",
    pytest.param("timm:vit_base_patch16_224", marks=pytest.mark.slow),
]


def bytes_of(run, edge):
    """Return the real network's parameters and buffers, bytes."""
    from nnunet_vit.modeling.network import ViTSegmentationNetwork, network_arguments

    network = ViTSegmentationNetwork(3, 2, **network_arguments(run, (edge, edge), STATISTICS))
    return sum(t.nbytes for t in (*network.parameters(), *network.buffers()))


@pytest.mark.parametrize("head", ["linear", "segformer", "dpt"])
@pytest.mark.parametrize("tuning", ["full", "lora", "frozen"])
@pytest.mark.parametrize("edge", [224, pytest.param(384, marks=pytest.mark.slow)])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_activations_and_parameters_are_those_of_a_real_step(backbone, edge, tuning, head):
    lora = {"lora": {"r": 8}} if tuning == "lora" else {}
    run = run_of(backbone, head=head, tuning=tuning, **lora)
    predicted = described(run, edge)
    assert predicted.saved_activations == pytest.approx(measured(run, edge), rel=0.15)
    assert predicted.parameters == bytes_of(run, edge)
