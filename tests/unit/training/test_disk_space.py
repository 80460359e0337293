"""A disk that is too small is refused before a run writes anything."""

import shutil
from collections import namedtuple

import pytest

from nnunet_vit.config.models import ViTTrainConfig
from nnunet_vit.errors import MachineError
from nnunet_vit.modeling.network import ViTSegmentationNetwork, first_build
from nnunet_vit.training.disk_space import check_room

pytestmark = pytest.mark.unit

MODEL = {"head": "linear", "backbone": "timm:test_vit"}
ROOM = namedtuple("ROOM", "total used free")


def network(**model):
    more = {"pretrained": False, **model}
    with first_build():
        arguments = [{**MODEL, **more}, {"enabled": False}, (32, 32), [0.5] * 3, [0.5] * 3]
        return ViTSegmentationNetwork(3, 2, *arguments)


def needs(monkeypatch, folder, built, **settings):
    """Return how many bytes of room are enough, and one less is not."""
    settings = ViTTrainConfig(**settings)

    def enough(room):
        monkeypatch.setattr(shutil, "disk_usage", lambda place: ROOM(0, 0, room))
        try:
            check_room(built, settings, folder)
        except MachineError:
            return False
        return True

    least, most = 0, 10**9
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if enough(middle) else (middle + 1, most)
    return least


def numbers(built, trained=False):
    return sum(p.numel() for p in built.parameters() if p.requires_grad or not trained)


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, 1 + 2),
        ({"optimizer": "sgd"}, 1 + 1),
        ({"ema": 0.9}, 1 + 2 + 1),
        ({"optimizer": "sgd", "ema": 0.9}, 1 + 1 + 1),
    ],
)
def test_three_checkpoints_and_the_whole_model(monkeypatch, tmp_path, settings, kept):
    built = network()
    one = 4 * numbers(built)
    buffers = 4 * sum(value.numel() for value in built.buffers())
    assert buffers > 0
    room = needs(monkeypatch, tmp_path, built, **settings)
    assert room == 3 * (kept * one + buffers) + one + buffers
    without = needs(monkeypatch, tmp_path, built, save_whole_model=False, **settings)
    assert without == room - one - buffers


def test_frozen_blocks_that_a_file_brought_are_not_counted(monkeypatch, tmp_path):
    from safetensors.torch import save_file

    from nnunet_vit.modeling.vit.timm_models import build_timm

    file = tmp_path / "vit.safetensors"
    save_file(build_timm("test_vit", (32, 32), 3).state_dict(), file)
    random = network(tuning="frozen")
    brought = network(tuning="frozen", pretrained=True, checkpoint_path=str(file))
    blocks = sum(p.numel() for p in brought.model.backbone.model.blocks.parameters())
    rooms = [
        needs(monkeypatch, tmp_path, built, save_whole_model=False) for built in (random, brought)
    ]
    assert rooms[0] - rooms[1] == 3 * 4 * blocks
    assert rooms[1] > 3 * 3 * 4 * numbers(brought, trained=True)


def test_what_is_said(monkeypatch, tmp_path):
    built, results = network(), tmp_path / "not" / "yet"
    asked = []
    room = ROOM(0, 0, 2_500_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: asked.append(place) or room)
    with pytest.raises(MachineError) as caught:
        check_room(built, ViTTrainConfig(), results)
    assert asked == [tmp_path]
    assert str(caught.value) == (
        f"{results} has 2.5 MB of free disk space; this run needs 12.0 MB: 3 checkpoints of 3.6 MB "
        "and the whole model of 1.2 MB. Fix: make room, choose paths.results on another disk, or "
        "train less of the backbone (model.tuning)."
    )
