"""The look at a head's output before training."""

import sys

import pytest
import torch
from torch import nn

from nnunet_vit.errors import PluginError
from nnunet_vit.modeling.output_check import output_scales

pytestmark = pytest.mark.unit


class Network(nn.Module):
    """Returns what the test wants for images (2, 3, 8, 12) and two classes."""

    num_classes = 2

    def __init__(self, output):
        super().__init__()
        self.output = output
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        self.had_gradients = torch.is_grad_enabled()
        return self.output


def scales(output):
    return output_scales(Network(output), torch.zeros(2, 3, 8, 12))


def test_one_output():
    assert scales(torch.zeros(2, 2, 8, 12)) == [[1.0, 1.0]]


def test_several_resolutions():
    levels = [torch.zeros(2, 2, *size) for size in ((8, 12), (4, 6), (2, 3))]
    assert scales(levels) == [[1.0, 1.0], [0.5, 0.5], [0.25, 0.25]]


@pytest.mark.parametrize(
    ("shape", "number"),
    [((2, 1, 8, 12), 0), ((2, 3, 8, 12), 0), ((2, 2, 8), 0), ((1, 2, 8, 12), 0), ((2, 8, 12), 0)],
)
def test_a_wrong_shape(shape, number):
    with pytest.raises(PluginError) as caught:
        scales(torch.zeros(shape))
    assert str(caught.value) == (
        f"The head's output {number} has shape {shape}; needed: (2, 2, H, W), with one channel "
        "per class or region."
    )


def test_a_wrong_shape_of_a_coarser_level():
    with pytest.raises(PluginError) as caught:
        scales([torch.zeros(2, 2, 8, 12), torch.zeros(2, 5, 4, 6)])
    assert str(caught.value).startswith("The head's output 1 has shape (2, 5, 4, 6); needed: ")


@pytest.mark.parametrize("size", [(8, 8), (4, 6), (16, 24), (12, 8)])
def test_a_wrong_size(size):
    with pytest.raises(PluginError) as caught:
        scales(torch.zeros(2, 2, *size))
    assert str(caught.value) == (
        f"The head's finest logits have {size} pixels for images of (8, 12): they must be equal."
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite(value):
    logits = torch.zeros(2, 2, 8, 12)
    logits[1, 0, 3, 3] = value
    with pytest.raises(PluginError) as caught:
        scales([torch.zeros(2, 2, 8, 12), logits])
    assert str(caught.value) == "The head's output 1 holds values that are not finite."


@pytest.fixture
def network_returning(tmp_path, monkeypatch):
    """`network_returning(expression)` is the real network with a head that returns this."""
    from nnunet_vit.modeling.network import ViTSegmentationNetwork

    def build(expression, deep=True):
        (tmp_path / "probe_head.py").write_text(
            "from torch import nn\n"
            "class Head(nn.Module):\n"
            f"    def forward(self, images): return {expression}\n"
            "def create_segmentation_model(num_classes): return Head()\n"
        )
        sys.modules.pop("probe_head", None)
        model = {"model_path": "probe_head", "backbone": "timm:test_vit", "pretrained": False}
        settings = (model, {"enabled": False}, (32, 48), [0.0] * 3, [1.0] * 3)
        return ViTSegmentationNetwork(3, 2, *settings, deep_supervision=deep)

    monkeypatch.syspath_prepend(str(tmp_path))
    yield build
    sys.modules.pop("probe_head", None)


@pytest.mark.parametrize("kind", ["list", "tuple"])
def test_the_real_network_makes_a_list_of_levels(network_returning, kind):
    expression, images = (
        f"{kind}([images[:, :2], images[:, :2, ::2, ::2]])",
        torch.zeros(2, 3, 32, 48),
    )
    assert output_scales(network_returning(expression), images) == [[1.0, 1.0], [0.5, 0.5]]
    assert output_scales(network_returning(expression, deep=False), images) == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("expression", "kind"),
    [("{'out': images[:, :2]}", "dict"), ("None", "NoneType"), ("[]", "list"), ("3", "int")],
)
def test_what_is_neither_logits_nor_a_list_of_them(network_returning, expression, kind):
    with pytest.raises(PluginError) as caught:
        output_scales(network_returning(expression), torch.zeros(2, 3, 32, 48))
    assert str(caught.value) == (
        f"The head returned {kind}; needed: logits (B, 2, H, W), or a list of them, finest first."
    )


@pytest.mark.parametrize(
    ("expression", "failure"),
    [
        ("[None]", "AttributeError: 'NoneType' object has no attribute 'float'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (
            "images.no_such_thing",
            "AttributeError: 'Tensor' object has no attribute 'no_such_thing'",
        ),
        ("exit('stopped')", "SystemExit: stopped"),
    ],
)
def test_a_head_that_fails_on_its_first_images(network_returning, expression, failure):
    with pytest.raises(PluginError) as caught:
        output_scales(network_returning(expression), torch.zeros(2, 3, 32, 48))
    assert str(caught.value) == (
        f"The head's forward failed: {failure}. "
        "Fix: install what it misses, fix it, upgrade it or uninstall it."
    )


def test_no_gradients_are_kept():
    network = Network(torch.zeros(2, 2, 8, 12))
    output_scales(network, torch.zeros(2, 3, 8, 12))
    assert network.had_gradients is False
