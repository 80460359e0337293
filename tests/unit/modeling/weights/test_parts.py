"""Parts that a network has or has not: a file without them is of another network."""

import re

import pytest
import timm
import torch
from safetensors.torch import save_file

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.backbone import coverage_of, create_backbone
from nnunet_vit.modeling.weights import load_backbone_weights
from nnunet_vit.modeling.weights.shapes.grids import FileGrid

pytestmark = pytest.mark.unit

VIT = "vit_small_patch16_224"
ONE = {"depth": 1}
QK = {"qk_norm": True}


def small(name, size=(224, 224), **more):
    return timm.create_model(name, num_classes=0, img_size=size, **{**ONE, **more})


def created(name, tensors, folder, size=(224, 224), **more):
    file = folder / "bare.safetensors"
    save_file({key: value.contiguous() for key, value in tensors.items()}, file)
    return create_backbone(f"timm:{name}", None, str(file), size, backbone_arguments=ONE, **more)[0]


def test_learned_rotary_frequencies_are_not_dropped(tmp_path):
    tensors = small("vit_small_patch16_rope_mixed_ape_224").state_dict()
    tensors = {
        name.replace("gamma_", "ls") + ".gamma" if "gamma" in name else name: value
        for name, value in tensors.items()
    }
    with pytest.raises(ModelError, match=r"unknown rope\.freqs"):
        created("deit3_small_patch16_224", tensors, tmp_path, expected_coverage=0.5)


def test_fixed_rotary_tables_and_counters_are_left_over(tmp_path):
    tensors = small(VIT).state_dict()
    extra = {
        "rope_embed.periods": torch.ones(16),
        "blocks.0.attn.rope.freqs_cos": torch.ones(4, 2),
        "n_averaged": torch.tensor(3),
        "num_updates": torch.tensor(3),
        "decay": torch.tensor(0.9),
    }
    assert coverage_of(created(VIT, {**tensors, **extra}, tmp_path)).share == 1


@pytest.mark.parametrize("expected", [1.0, 0.5])
@pytest.mark.parametrize(
    ("name", "parts", "missing"),
    [
        ("vit_small_patch14_dinov2", r"\.ls[12]\.", r"missing blocks\.0\.ls1\.gamma"),
        (VIT, r"\.[qk]_norm\.", r"missing blocks\.0\.attn\.q_norm\.weight"),
        ("vit_small_patch14_reg4_dinov2", "^reg_token", "missing reg_token"),
        ("deit_small_distilled_patch16_224", "^dist_token", "missing dist_token"),
    ],
)
def test_parts_that_the_file_lacks_are_refused_whatever_is_expected(
    weights_file, name, parts, missing, expected
):
    model = small(name, (56, 56) if "14" in name else (32, 32), **QK if name == VIT else {})
    rest = {key: v for key, v in model.state_dict().items() if not re.search(parts, key)}
    with pytest.raises(ModelError, match=missing) as caught:
        load_backbone_weights(model, weights_file(rest), expected)
    assert "expected_coverage" not in str(caught.value)


def test_the_backbone_without_the_part_is_named(weights_file):
    size = {"num_classes": 0, "img_size": (56, 56)}
    tensors = timm.create_model("vit_small_patch14_dinov2", **size).state_dict()
    model = timm.create_model("vit_small_patch14_reg4_dinov2", **size)
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(model, weights_file(tensors), 0.9)
    assert "dinov2 with model.backbone_size: small" in caught.value.fix


def test_whole_blocks_may_be_missing_where_that_is_expected(weights_file):
    model = small("vit_small_patch14_dinov2", (56, 56), depth=2)
    tensors = {key: v for key, v in model.state_dict().items() if not key.startswith("blocks.1.")}
    assert load_backbone_weights(model, weights_file(tensors), 0.4).share < 1


def positions(weights_file, count, own, stated=None):
    model = small(VIT, own)
    tensors = {**model.state_dict(), "pos_embed": torch.randn(1, count, 384)}
    load_backbone_weights(model, weights_file(tensors), grid=FileGrid(stated=stated))
    return model.pos_embed


def test_the_stated_grid_decides_whether_there_is_a_class_position(weights_file):
    assert not positions(weights_file, 192, (224, 224), (12, 16))[:, 0].any()
    assert positions(weights_file, 197, (224, 224), (14, 14))[:, 0].any()


def test_the_stated_grid_holds_for_a_file_that_timm_translates(weights_file):
    own = timm.create_model(
        "eva02_base_patch16_clip_224", num_classes=0, img_size=(224, 224), **ONE
    )
    tensors = {**own.state_dict(), "pos_embed": torch.randn_like(own.pos_embed)}
    theirs = {
        name.replace(".mlp.norm.", ".mlp.ffn_ln.").replace(".attn.norm.", ".attn.inner_attn_ln."): v
        for name, v in tensors.items()
    }
    assert theirs.keys() != tensors.keys()
    loaded = []
    for content in (tensors, theirs):
        model = timm.create_model(
            "eva02_base_patch16_clip_224", num_classes=0, img_size=(192, 256), **ONE
        )
        load_backbone_weights(model, weights_file(content), grid=FileGrid(stated=(7, 28)))
        loaded.append(model.pos_embed)
    assert torch.equal(*loaded)
