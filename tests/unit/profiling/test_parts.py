"""A network's parameters by part, and the memory that follows from them."""

import pytest

from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.profiling.cost import Part, StepCost
from nnunet_vit.profiling.fake_tensors import build_without_memory
from nnunet_vit.profiling.memory import estimated_memory
from nnunet_vit.profiling.parts import adapted_kinds, parts_of

pytestmark = pytest.mark.unit

STATISTICS = ChannelStatistics([0.5] * 3, [0.25] * 3)


def network_of(lora=None, backbone="timm:test_vit", **model):
    sections = {"model": {"head": "linear", "backbone": backbone, **model}}
    run = ViTnnUNetConfig.model_validate({**sections, **({"lora": lora} if lora else {})})
    return build_without_memory(
        run, 3, 2, image_size=(32, 32), statistics=STATISTICS, deep_supervision=False
    )


def rows(network):
    return {(part.within, part.name): (part.parameters, part.trained) for part in parts_of(network)}


def test_parts_add_up():
    network = network_of()
    found = rows(network)
    assert list(found) == [
        ("", "input bridge"),
        ("", "backbone"),
        ("backbone", "patches"),
        ("backbone", "tokens and positions"),
        ("backbone", "blocks"),
        ("backbone", "norm"),
        ("", "head"),
    ]
    model = network.model.backbone.model
    total = sum(p.numel() for p in network.parameters())
    assert sum(n for (within, _), (n, _) in found.items() if not within) == total
    assert sum(n for (within, _), (n, _) in found.items() if within) == found["", "backbone"][0]
    assert found["backbone", "blocks"][0] == sum(p.numel() for p in model.blocks.parameters())
    assert found["backbone", "patches"][0] == sum(p.numel() for p in model.patch_embed.parameters())
    assert found["", "backbone"] == (sum(p.numel() for p in model.parameters()),) * 2


def test_adapters_stand_apart():
    plain, adapted = rows(network_of()), network_of(lora={"r": 4, "target_modules": ["qkv", "fc2"]})
    found = rows(adapted)
    assert found["", "backbone"] == (plain["", "backbone"][0], 0)
    width, hidden, blocks = 64, 3 * 64, len(adapted.model.backbone.model.blocks)
    assert found["", "adapters"] == (blocks * 4 * (width + 3 * width + hidden + width),) * 2
    assert found["", "head"] == plain["", "head"]
    assert adapted_kinds(adapted) == ["qkv", "fc2"]
    assert adapted_kinds(network_of()) == []


def test_last_blocks():
    found = rows(network_of(tuning="last_blocks", trained_blocks=1))
    parameters, trained = found["backbone", "blocks"]
    assert 0 < trained < parameters
    assert found["backbone", "norm"][0] == found["backbone", "norm"][1]
    assert found["backbone", "patches"][1] == 0


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ({}, {"optimizer state (adamw)": 80}),
        ({"optimizer": "sgd"}, {"optimizer state (sgd)": 40}),
        ({"ema": 0.9}, {"optimizer state (adamw)": 80, "averaged weights (ema)": 40}),
    ],
)
def test_memory_by_part(train, expected):
    cost = StepCost(1, 3, 400, 40, 0, 1000, 500, 1547)
    parts = [Part("backbone", 90, 0), Part("blocks", 80, 0, "backbone"), Part("head", 10, 10)]
    run = ViTnnUNetConfig.model_validate({"train": train})
    assert estimated_memory(run.train, cost, parts) == {
        "parameters": 400,
        "gradients at the peak": 40,
        **expected,
        "activations, backbone": 1000,
        "activations, head and loss": 500,
        "temporary": 7,
    }
    assert cost.saved_activations == 1500


@pytest.mark.parametrize(("peak", "there"), [(1525, 25), (1500, 0), (1490, 0)])
def test_gradients_come_as_activations_go(peak, there):
    cost = StepCost(1, 3, 400, 40, 0, 1000, 500, peak)
    memory = estimated_memory(ViTnnUNetConfig().train, cost, [Part("head", 10, 10)])
    assert memory.get("gradients at the peak", 0) == there
    assert "temporary" not in memory
    assert sum(memory.values()) == 400 + 80 + 1500 + there
