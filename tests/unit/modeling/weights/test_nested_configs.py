"""config.json of transformers: where it speaks of the network for images, and what counts."""

import json

import pytest
from safetensors.torch import save_file

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.backbone import create_backbone
from nnunet_vit.modeling.weights.configs.transformers_config import transformers_snapshot

pytestmark = pytest.mark.unit

SAID = {"model_type": "dinov2", "num_attention_heads": 6, "hidden_act": "gelu_new"}
TEXT = {"model_type": "bert", "num_attention_heads": 4, "hidden_act": "relu"}


def said(folder, content):
    (folder / "config.json").write_text(json.dumps(content), encoding="utf-8")
    return transformers_snapshot(folder)


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("vision-encoder-decoder", ["encoder"]),
        ("depth_anything", ["backbone_config"]),
        ("upernet", ["backbone_config"]),
        ("flava", ["image_config"]),
        ("foo", ["vision_encoder"]),
        ("sam3", ["detector_config", "vision_config", "backbone_config"]),
    ],
)
def test_the_network_for_images_may_lie_deeper(tmp_path, kind, keys):
    content = SAID
    for key in reversed(keys):
        content = {key: content, "decoder": TEXT, "text_config": TEXT, "patch_size": 8}
    settings = said(tmp_path, {"model_type": kind, **content}).settings
    assert (settings["num_heads"], settings["act_layer"]) == (6, "gelu_tanh")
    assert settings["norm_eps"] == 1e-6  # transformers' own of DINOv2
    assert "patch_size" not in settings


def test_networks_for_images_that_differ_are_refused(tmp_path):
    content = {"vision_config": SAID, "high_res_vision_config": {**SAID, "num_attention_heads": 12}}
    with pytest.raises(ModelError) as caught:
        said(tmp_path, {"model_type": "two_towers", **content})
    assert caught.value.problem.endswith(
        "config.json does not say what network the weights belong to: vision_config and "
        "high_res_vision_config in it speak of different networks."
    )


def test_the_same_network_twice_is_one(tmp_path):
    content = {"image_model_config": SAID, "patch_model_config": SAID, "sam_config": {}}
    assert said(tmp_path, {"model_type": "depth_pro", **content}).settings["num_heads"] == 6


def test_a_config_without_a_kind_is_compared_too(tmp_path, vit):
    save_file(vit().state_dict(), tmp_path / "model.safetensors")
    assert said(tmp_path, {"num_attention_heads": 5}).settings == {"num_heads": 5}
    with pytest.raises(ModelError, match="num_attention_heads 5, the backbone has"):
        create_backbone("timm:test_vit", None, str(tmp_path), (32, 64))
    assert said(tmp_path, {"license": "mit"}) is None


def test_a_part_that_says_nothing_does_not_hide_the_network_around_it(tmp_path):
    content = {**SAID, "patch_size": 14, "encoder": {"dropout": 0.1}}
    assert said(tmp_path, {**content, "model_type": "foo"}).settings["num_heads"] == 6
    text = {"num_attention_heads": 32, "vision_config": {"model_type": "foo"}}
    assert said(tmp_path, {"model_type": "llava", **text}).settings == {}


def test_mappings_without_end(tmp_path):
    text = '{"encoder":' * 500 + json.dumps(SAID) + "}" * 500
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    assert transformers_snapshot(tmp_path) is None


@pytest.mark.parametrize("top", [{"rope_theta": 100.0}, {}])
def test_dinov3_computes_with_the_plain_key_of_the_rotary_base(tmp_path, top):
    """transformers reads rope_theta alone there, and writes what else it was given beside it."""
    content = {"model_type": "dinov3_vit", "rope_parameters": {"rope_theta": 1000.0}, **top}
    assert said(tmp_path, content).settings["rope_temperature"] == 100.0


def test_other_networks_say_the_rotary_base_inside_and_not_twice(tmp_path):
    content = {"model_type": "foo", "rope_parameters": {"rope_theta": 1000.0}}
    assert said(tmp_path, content).settings["rope_temperature"] == 1000.0
    with pytest.raises(ModelError, match=r"its rope_theta is 100\.0, and 1000\.0 inside"):
        said(tmp_path, {**content, "rope_theta": 100.0})
