"""What a config.json of transformers leaves out is what transformers takes."""

import json

import pytest
import torch
from safetensors.torch import save_file

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.backbone import create_backbone, get_vit_features
from nnunet_vit.modeling.weights.configs.transformers_config import transformers_snapshot
from nnunet_vit.modeling.weights.configs.transformers_defaults import DEFAULTS
from nnunet_vit.modeling.weights.shapes.grids import grid_of_snapshot

pytestmark = pytest.mark.unit


def said(folder, content):
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", DEFAULTS)
def test_the_table_holds_what_transformers_takes(kind):
    transformers = pytest.importorskip("transformers")
    if kind not in transformers.CONFIG_MAPPING:
        pytest.skip("this transformers is older than the kind")
    auto = transformers.AutoConfig.for_model(kind)
    config = getattr(auto, "vision_config", auto)
    rope = getattr(config, "rope_parameters", None) or {}
    theirs = {key: rope.get(key, getattr(config, key, None)) for key in DEFAULTS[kind]}
    assert theirs == DEFAULTS[kind]


def test_keys_that_are_missing_are_those_of_the_vision_tower(tmp_path):
    folder = said(tmp_path, {"model_type": "clip", "vision_config": {"layer_norm_eps": None}})
    settings = transformers_snapshot(folder).settings
    assert (settings["act_layer"], settings["norm_eps"]) == ("quick_gelu", 1e-5)
    assert settings["num_heads"] == 12


def test_a_snapshot_with_missing_keys_computes_what_transformers_does(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=192, num_hidden_layers=1, intermediate_size=768, image_size=32
    )
    theirs = transformers.ViTModel(config, add_pooling_layer=False).eval()
    theirs.save_pretrained(tmp_path)
    said(tmp_path, {"model_type": "vit", "image_size": 32})
    depth = {"depth": 1}
    name = "timm:vit_tiny_patch16_224"  # of three heads
    ours, *_ = create_backbone(name, None, str(tmp_path), (32, 32), backbone_arguments=depth)
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        wanted = theirs(images).last_hidden_state[:, 1:].mT.reshape(1, 192, 2, 2)
        assert (get_vit_features(ours.eval(), images, 1)[0] - wanted).abs().max() < 1e-4


@pytest.mark.parametrize("size", [[64, 32], {"height": 64, "width": 32}])
def test_an_image_size_of_two_edges_is_the_grid_of_the_positions(tmp_path, size):
    assert grid_of_snapshot(said(tmp_path, {"model_type": "vit", "image_size": size})) == (64, 32)


@pytest.mark.parametrize("number", [10**400, 1e30, float("inf"), float("nan"), -(10**10)])
def test_numbers_that_no_network_has_are_refused(tmp_path, vit, number):
    save_file(vit().state_dict(), tmp_path / "model.safetensors")
    said(tmp_path, {"model_type": "vit", "num_attention_heads": number})
    with pytest.raises(ModelError, match=r"its num_attention_heads is "):
        create_backbone("timm:test_vit", None, str(tmp_path), (32, 64))
