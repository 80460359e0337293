"""Snapshots that say which network they hold: it is built so, or refused; never another one."""

import json

import pytest
import timm
import torch
from safetensors.torch import save_file

from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.modeling.backbone import create_backbone, get_vit_features

pytestmark = pytest.mark.unit

TINY = {"embed_dim": 48, "num_heads": 3, "depth": 2}
SIZE = (32, 48)
ARCHITECTURE = "vit_tiny_patch16_224"


@pytest.fixture
def snapshot(tmp_path):
    """`snapshot(architecture, arguments)`: a folder of timm's, and the model that it holds."""

    def write(architecture, arguments, said=None, size=SIZE):
        torch.manual_seed(3)
        layers = {"mlp_layer": timm.layers.SwiGLUPacked} if "mlp_layer" in arguments else {}
        model = timm.create_model(
            architecture, img_size=size, num_classes=0, **{**arguments, **layers}
        ).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.1, 0.2)
        save_file(model.state_dict(), tmp_path / "model.safetensors")
        content = {"architecture": architecture, "model_args": said or arguments}
        (tmp_path / "config.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path, model

    return write


def difference(ours, theirs, size=SIZE):
    images = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = theirs.forward_intermediates(images, indices=1, intermediates_only=True, norm=True)
        return float((get_vit_features(ours.eval(), images, 1)[0] - wanted[0]).abs().max())


@pytest.mark.parametrize(
    "arguments",
    [
        {"init_values": 1e-5},
        {"reg_tokens": 8, "no_embed_class": True, "init_values": 1e-5},
        {"mlp_layer": "timm.layers.SwiGLUPacked", "act_layer": "silu", "mlp_ratio": 5.3375},
        {"qk_norm": True, "act_layer": "quick_gelu"},
        {"num_heads": 6},
    ],
)
def test_a_timm_snapshot_is_built_with_its_arguments(snapshot, arguments):
    folder, theirs = snapshot(ARCHITECTURE, {**TINY, **arguments})
    ours, *_ = create_backbone(f"timm:{ARCHITECTURE}", None, str(folder), SIZE)
    assert difference(ours, theirs) < 1e-5


def test_a_gated_mlp_that_config_json_does_not_say_is_seen(snapshot):
    """Virchow and UNI2-h give it in Python."""
    said = {**TINY, "img_size": 224, "mlp_ratio": 5.0, "dynamic_img_size": True}
    gated = {**TINY, "mlp_ratio": 5.0, "mlp_layer": "SwiGLUPacked", "act_layer": "silu"}
    folder, theirs = snapshot(ARCHITECTURE, gated, said)
    ours, *_ = create_backbone(f"timm:{ARCHITECTURE}", None, str(folder), SIZE)
    assert difference(ours, theirs) < 1e-5


def test_the_run_holds_the_network_of_its_snapshot_for_prediction(snapshot):
    from nnunet_vit.config.models import ViTModelConfig, ViTnnUNetConfig
    from nnunet_vit.modeling.vit.snapshot_network import as_snapshot_says

    folder, _ = snapshot(ARCHITECTURE, {**TINY, "init_values": 1e-5})
    model = ViTModelConfig(backbone=f"timm:{ARCHITECTURE}", checkpoint_path=str(folder))
    run = as_snapshot_says(ViTnnUNetConfig(model=model))
    assert run.model.model_dump(mode="json")["backbone_arguments"] == {**TINY, "init_values": 1e-5}
    assert as_snapshot_says(run) == run


def test_another_architecture_is_refused_and_the_right_one_named(snapshot):
    folder, _ = snapshot("vit_tiny_patch16_224", TINY)
    with pytest.raises(ModelError, match=r"Fix: model\.backbone: timm:vit_tiny_patch16_224, or"):
        create_backbone("timm:vit_small_patch16_224", None, str(folder), SIZE)


@pytest.mark.parametrize("value", ["os.system", ["x"], {"a": 1}, -3, True, 10**9])
def test_a_file_is_never_code(snapshot, value):
    folder, _ = snapshot(ARCHITECTURE, TINY, {**TINY, "embed_dim": value, "block_fn": "os.system"})
    with pytest.raises(ModelError, match=r"cannot be taken over: embed_dim = .*block_fn = 'os\."):
        create_backbone(f"timm:{ARCHITECTURE}", None, str(folder), SIZE)


def test_arguments_against_config_json_are_refused(snapshot):
    folder, _ = snapshot(ARCHITECTURE, TINY)
    with pytest.raises(ModelError, match=r"num_heads 6 in model\.backbone_arguments, 3 in"):
        create_backbone(
            f"timm:{ARCHITECTURE}", None, str(folder), SIZE, backbone_arguments={"num_heads": 6}
        )
    with pytest.raises(ConfigError, match=r"backbone_arguments: given speed = 3; allowed: embed_"):
        create_backbone("timm:test_vit", None, None, SIZE, backbone_arguments={"speed": 3})


@pytest.mark.parametrize("expected", [1.0, 0.5])
@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"init_values": 1e-5}, "init_values: 1.0e-05"), ({"qk_norm": True}, "qk_norm: true")],
)
def test_parts_that_the_backbone_lacks_are_refused_whatever_is_expected(
    tmp_path, arguments, named, expected
):
    model = timm.create_model(ARCHITECTURE, img_size=SIZE, num_classes=0, **arguments)
    save_file(model.state_dict(), tmp_path / "bare.safetensors")
    with pytest.raises(ModelError) as caught:
        create_backbone(
            f"timm:{ARCHITECTURE}",
            None,
            str(tmp_path / "bare.safetensors"),
            SIZE,
            expected_coverage=expected,
        )
    assert f"model.backbone_arguments: {{{named}}}" in caught.value.fix
    assert "expected_coverage" not in str(caught.value)


def test_registers_are_refused_and_the_size_that_has_them_named(tmp_path):
    name = "vit_small_patch14_reg4_dinov2"
    model = timm.create_model(name, img_size=(56, 56), num_classes=0)
    save_file(model.state_dict(), tmp_path / "bare.safetensors")
    with pytest.raises(ModelError, match=r"dinov2 with model\.backbone_size: small_reg4"):
        create_backbone(
            "dinov2", "small", str(tmp_path / "bare.safetensors"), (56, 56), expected_coverage=0.5
        )


@pytest.mark.parametrize(
    "settings",
    [{"num_attention_heads": 12}, {"hidden_act": "gelu_new"}, {"layer_norm_eps": 1e-2}],
)
def test_transformers_settings_decide(tmp_path, settings):
    transformers = pytest.importorskip("transformers")
    tiny = {"hidden_size": 192, "num_hidden_layers": 12, "intermediate_size": 768}
    base = {"num_attention_heads": 3, "layer_norm_eps": 1e-6, "image_size": 32, **tiny}
    torch.manual_seed(0)
    theirs = transformers.ViTModel(transformers.ViTConfig(**{**base, **settings})).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_(0, 0.1)
    theirs.save_pretrained(tmp_path)
    ours, *_ = create_backbone(f"timm:{ARCHITECTURE}", None, str(tmp_path), (32, 32))
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        wanted = theirs(images).last_hidden_state[:, 1:].mT.reshape(1, 192, 2, 2)
        assert (get_vit_features(ours.eval(), images, 1)[0] - wanted).abs().max() < 1e-4


def test_transformers_settings_that_timm_cannot_build_are_refused_together(tmp_path, vit):
    content = {"model_type": "vit", "num_attention_heads": 2, "hidden_act": "gelu_10"}
    (tmp_path / "config.json").write_text(json.dumps({**content, "patch_size": 8}))
    save_file(vit().state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(ModelError) as caught:
        create_backbone("timm:test_vit", None, str(tmp_path), (32, 64))
    for text in ("hidden_act gelu_10", "patch_size 8, the backbone has 16"):
        assert text in caught.value.problem


def test_dropout_is_of_the_training_and_whole_floats_are_counts(snapshot):
    said = {**TINY, "depth": 2.0, "proj_drop": 0.1, "attn_drop": 0.1, "drop_path": [0.0, 0.1]}
    folder, theirs = snapshot(ARCHITECTURE, TINY, said)
    ours, *_ = create_backbone(f"timm:{ARCHITECTURE}", None, str(folder), SIZE)
    assert difference(ours, theirs) < 1e-5


@pytest.mark.parametrize("architecture", ["nix", "hf-hub:foo/bar", "resnet18"])
def test_an_architecture_that_cannot_be_built_is_no_remedy(snapshot, architecture):
    folder, _ = snapshot(ARCHITECTURE, TINY)
    said = {"architecture": architecture, "model_args": TINY}
    (folder / "config.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        create_backbone(f"timm:{ARCHITECTURE}", None, str(folder), SIZE)
    assert caught.value.problem == (
        f"{folder / 'config.json'} says architecture {architecture}, which is no ViT of timm's "
        f"that can be built here; the backbone is timm's {ARCHITECTURE}."
    )
    assert caught.value.fix == (
        f"weights of {ARCHITECTURE}. If these are, copy the file of weights to a folder without "
        "config.json."
    )
