"""Weights that load and are damaged: zeros where a download stopped."""

import pytest
import torch

pytestmark = pytest.mark.unit


def test_a_tail_of_zeros_is_refused(trained, weights_file, refusal):
    """The file has its full length: what follows the first tensors was never written."""
    file = weights_file(trained)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    text = refusal(file)
    assert "weights of the backbone are zero, wholly or over many rows: blocks." in text
    assert text.endswith("fetch the file again and compare its sha256 with the publisher's.")


@pytest.mark.parametrize("name", ["blocks.3.mlp.fc1.weight", "pos_embed", "blocks.1.norm1.weight"])
def test_a_weight_that_is_zero_is_refused(trained, weights_file, refusal, name):
    trained[name] = torch.zeros_like(trained[name])
    assert f"1 of 39 weights of the backbone are zero, wholly or over many rows: {name}" in refusal(
        weights_file(trained)
    )


@pytest.mark.parametrize("rows", [slice(-20, None), slice(40, 60)])
def test_many_rows_of_zeros_in_a_row_are_refused(trained, weights_file, refusal, rows):
    trained["blocks.3.attn.qkv.weight"][rows] = 0
    assert "over many rows: blocks.3.attn.qkv.weight" in refusal(weights_file(trained))


def test_positions_and_token_as_before_a_training_are_loaded(vit, trained, weights_file):
    """So transformers makes a DeiT; a stopped download would not spare the norm between them."""
    from nnunet_vit.modeling.weights import load_backbone_weights

    for name in ("cls_token", "pos_embed"):
        trained[name] = torch.zeros_like(trained[name])
    assert load_backbone_weights(vit(), weights_file(trained)).share == 1


def test_what_training_may_leave_at_zero_is_loaded(vit, trained, weights_file):
    from nnunet_vit.modeling.weights import load_backbone_weights

    for name, value in trained.items():
        if name.endswith(".bias"):
            trained[name] = torch.zeros_like(value)
    trained["blocks.3.mlp.fc1.weight"][[3, 77]] = 0  # dead units
    assert load_backbone_weights(vit(), weights_file(trained)).share == 1
