"""Deep supervision in the network: a list, the finest alone, gradients and parameters."""

import pytest
import torch

from nnunet_vit.modeling.network import ViTSegmentationNetwork

pytestmark = pytest.mark.unit

MODEL = {"head": "linear", "backbone": "timm:test_vit", "pretrained": False}
LEVELS = """
from torch import nn
from torch.nn import functional

class Levels(nn.Module):
    def __init__(self, backbone, num_classes, several):
        super().__init__()
        self.backbone, self.several = backbone, several
        self.classifier = nn.Conv2d(backbone.embed_dim, num_classes, 1)

    def forward(self, images):
        coarse = self.classifier(self.backbone(images))
        height, width = images.shape[-2:]
        levels = [
            functional.interpolate(coarse, (height // step, width // step)) for step in (1, 2, 4)
        ]
        return levels if self.several else levels[0]

def create_segmentation_model(backbone, num_classes, deep_supervision):
    return Levels(backbone, num_classes, deep_supervision)
"""


@pytest.fixture
def levels_module(tmp_path, monkeypatch):
    """A head with three resolutions, named by model_path."""
    import sys

    (tmp_path / "levels_head.py").write_text(LEVELS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "levels_head"
    sys.modules.pop("levels_head", None)


def network(model=MODEL, channels=3, classes=2, size=(32, 48), **more):
    statistics = {"input_mean": [0.0] * channels, "input_std": [1.0] * channels, **more}
    lora = statistics.pop("lora", {"enabled": False})
    return ViTSegmentationNetwork(channels, classes, model, lora, size, **statistics)


def test_deep_supervision_is_a_list_that_can_be_turned_off(levels_module):
    model = {**MODEL, "head": None, "model_path": levels_module}
    net = network(model, size=(64, 32), deep_supervision=True)
    images = torch.randn(1, 3, 64, 32)
    levels = net(images)
    assert [level.shape[-2:] for level in levels] == [(64, 32), (32, 16), (16, 8)]
    assert {level.dtype for level in levels} == {torch.float32}
    net.deep_supervision = False
    assert torch.equal(net(images), levels[0])
    net.deep_supervision = True
    assert len(net(images)) == 3


SEPARATE = (
    LEVELS.replace(
        "self.classifier = nn.Conv2d(backbone.embed_dim, num_classes, 1)",
        "self.each = nn.ModuleList(nn.Conv2d(backbone.embed_dim, num_classes, 1) for _ in 'abc')",
    )
    .replace("coarse = self.classifier(self.backbone(images))", "features = self.backbone(images)")
    .replace(
        "functional.interpolate(coarse, (height // step, width // step)) for step in (1, 2, 4)",
        "functional.interpolate(layer(features), (height // step, width // step))"
        " for step, layer in zip((1, 2, 4), self.each)",
    )
)


def test_levels_that_are_left_out_have_gradients_of_zero(tmp_path, monkeypatch):
    import sys

    (tmp_path / "separate_head.py").write_text(SEPARATE)
    monkeypatch.syspath_prepend(str(tmp_path))
    net = network({**MODEL, "head": None, "model_path": "separate_head"}).train()
    sys.modules.pop("separate_head")
    images = torch.randn(1, 3, 32, 48)
    net.deep_supervision = True
    finest = net(images)[0]
    net.deep_supervision = False
    assert torch.equal(net(images), finest)
    net(images).square().sum().backward()
    assert all(value.grad is not None for value in net.parameters())
    used = [bool(layer.weight.grad.any()) for layer in net.model.each]
    assert used == [True, False, False]


def test_without_deep_supervision_the_finest_is_returned(levels_module):
    model = {**MODEL, "head": None, "model_path": levels_module}
    assert network(model)(torch.zeros(1, 3, 32, 48)).shape == (1, 2, 32, 48)


def test_deep_supervision_does_not_change_the_parameters(tmp_path, monkeypatch):
    """A network is trained with it and rebuilt for prediction without it."""
    import sys

    outputs = "self.coarse = nn.Conv2d(backbone.embed_dim, num_classes, 1) if several else None\n"
    source = LEVELS.replace("    def forward", f"        {outputs}\n    def forward", 1)
    (tmp_path / "growing_head.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    model = {**MODEL, "head": None, "model_path": "growing_head"}
    trained, rebuilt = network(model, deep_supervision=True), network(model)
    rebuilt.load_state_dict(trained.state_dict())
    assert "model.coarse.weight" in rebuilt.state_dict()
    del sys.modules["growing_head"]
