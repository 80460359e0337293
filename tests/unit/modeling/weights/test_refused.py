"""Weights that are not those of the backbone: refused in one line, and nothing is loaded."""

import pytest
import torch

pytestmark = pytest.mark.unit

AGAINST = "Fix: check model.backbone and model.backbone_size against the file"
CHECK = f"{AGAINST}."
LESS = f"{AGAINST}; where it is known to hold less, write its share in model.expected_coverage."


def test_another_width(vit, weights_file, refusal):
    file = weights_file(vit("vit_tiny_patch16_224", None, depth=6).state_dict())
    assert refusal(file) == (
        "{file} does not fit the backbone: 0 of 78 tensors, 0 % of parameters covered; "
        "another shape cls_token (1, 1, 192) instead of (1, 1, 64), "
        "pos_embed (1, 197, 192) instead of (1, 9, 64), patch_embed.proj.weight (192, 3, 16, 16) "
        f"instead of (64, 3, 16, 16), … (78 in all). {CHECK}"
    )


def test_another_width_and_depth(all_names_of_timm, vit, weights_file, refusal):
    file = weights_file(vit("vit_tiny_patch16_224", None).state_dict())
    assert refusal(file) == (
        "{file} does not fit the backbone: 0 of 78 tensors, 0 % of parameters covered; "
        "another shape cls_token (1, 1, 192) instead of (1, 1, 64), "
        "pos_embed (1, 197, 192) instead of (1, 9, 64), "
        "patch_embed.proj.weight (192, 3, 16, 16) instead of (64, 3, 16, 16), … (78 in all); "
        "unknown blocks.10.attn.proj.bias, blocks.10.attn.proj.weight, "
        "blocks.10.attn.qkv.bias, … (72 in all). Fix: model.backbone: timm:vit_tiny_patch16_224: "
        "this network has the file's tensors."
    )


def test_another_patch_of_an_eva(all_names_of_timm, vit, weights_file, refusal):
    file = weights_file(vit("eva02_tiny_patch14_224", (28, 28)).state_dict())
    assert refusal(file, "vit_tiny_patch16_224") == (
        "{file} does not fit the backbone: 102 of 150 tensors, 35 % of parameters covered; "
        "another shape blocks.0.mlp.fc1.weight (1024, 192) instead of (768, 192), "
        "blocks.0.mlp.fc1.bias (1024,) instead of (768,), blocks.0.mlp.fc2.weight (192, 512) "
        "instead of (192, 768), … (36 in all); missing blocks.0.attn.qkv.bias, "
        "blocks.1.attn.qkv.bias, blocks.2.attn.qkv.bias, … (12 in all); unknown "
        "blocks.0.attn.q_bias, blocks.0.attn.v_bias, blocks.1.attn.q_bias, "
        "… (24 in all). Fix: model.backbone: timm:eva02_tiny_patch14_224: this network has the "
        "file's tensors."
    )


def test_a_network_of_another_kind(weights_file, refusal):
    tensors = {"conv1.weight": torch.zeros(64, 3, 7, 7), "layer1.0.conv1.weight": torch.zeros(3)}
    assert refusal(weights_file(tensors)) == (
        "{file} does not fit the backbone: by its names it is a ResNet, which is recognised and "
        "not supported (conv1.weight, layer1.0.conv1.weight). Fix: give the weights of a plain ViT "
        "in the names of timm, Meta or Hugging Face: docs/weights.md lists what is understood."
    )


def test_a_network_that_nobody_knows(weights_file, refusal):
    tensors = {"a.weight": torch.zeros(64, 3, 7, 7), "b.0.weight": torch.zeros(3)}
    assert refusal(weights_file(tensors)) == (
        "{file} does not fit the backbone: 0 of 78 tensors, 0 % of parameters covered; "
        "missing cls_token, pos_embed, patch_embed.proj.weight, … (76 in all); "
        f"unknown a.weight, b.0.weight. {CHECK}"
    )


def half(tensors):
    return dict(list(tensors.items())[: len(tensors) // 2])


def test_half_of_the_tensors(trained, weights_file, refusal):
    assert refusal(weights_file(half(trained))) == (
        "{file} does not fit the backbone: 39 of 78 tensors, 58 % of parameters covered; missing "
        "blocks.2.mlp.fc2.bias, blocks.3.norm1.weight, blocks.3.norm1.bias, … (37 in all). "
        f"{LESS}"
    )


def test_an_unknown_tensor(trained, weights_file, refusal):
    tensors = {**trained, "blocks.6.norm1.bias": torch.zeros(64)}
    assert refusal(weights_file(tensors)) == (
        "{file} does not fit the backbone: 78 of 78 tensors, 100 % of parameters covered; "
        f"unknown blocks.6.norm1.bias. {CHECK}"
    )


def test_a_part_of_a_fused_attention_is_never_made_up(trained, weights_file, refusal):
    """Hugging Face's names with the values of one block gone."""
    tensors = {name: value for name, value in trained.items() if "blocks.0.attn.qkv" not in name}
    tensors["embeddings.mask_token"] = torch.zeros(1, 64)
    for part in ("query", "key"):
        for kind, value in (("weight", torch.ones(64, 64)), ("bias", torch.ones(64))):
            tensors[f"encoder.layer.0.attention.attention.{part}.{kind}"] = value
    assert refusal(weights_file(tensors)) == (
        "{file} does not fit the backbone: 76 of 78 tensors, 95.8 % of parameters covered; "
        "missing blocks.0.attn.qkv.weight, blocks.0.attn.qkv.bias; unknown "
        "blocks.0.attn.k.bias, blocks.0.attn.k.weight, blocks.0.attn.q.bias, … (4 in all). "
        f"{CHECK}"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_values_that_are_not_finite(trained, weights_file, refusal, value, name):
    trained["blocks.3.mlp.fc1.weight"][5, 5] = value
    assert refusal(weights_file(trained, name)) == (
        "{file} holds values that are not finite (NaN or infinity): blocks.3.mlp.fc1.weight. "
        "Fix: fetch the file again, or choose another checkpoint of that training."
    )


@pytest.mark.parametrize(("there", "wanted"), [(2, 3), (5, 1), (5, 4), (4, 3)])
def test_a_stem_that_cannot_be_adapted(vit, weights_file, refusal, there, wanted):
    file = weights_file(vit(size=None, channels=there).state_dict())
    assert refusal(file, channels=wanted) == (
        f"{{file}} was trained on {there} channels, the images have {wanted}; "
        "weights of 1 or 3 channels can be adapted."
    )
