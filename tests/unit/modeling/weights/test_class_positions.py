"""Whether a file's class token has a position: what is said, before a square that is by chance."""

import json

import pytest
import torch
from safetensors.torch import save_file

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights import load_backbone_weights
from nnunet_vit.modeling.weights.shapes.grids import FileGrid, rehearsal

pytestmark = pytest.mark.unit

VIT = "vit_base_patch16_224"
LACKING = {"no_embed_class": True}
BY_CHANCE = [(96, 128), (128, 160), (192, 224), (208, 240)]  # patches and one are a square


@pytest.fixture
def snapshot(tmp_path):
    """`snapshot(tensors, "vit", [H, W])`: a folder of transformers, or of "timm"."""

    def write(tensors, kind, size):
        said = {
            "vit": {"model_type": "vit", "image_size": size},
            "timm": {"architecture": VIT, "pretrained_cfg": {"input_size": [3, *size]}},
        }[kind]
        (tmp_path / "config.json").write_text(json.dumps(said), encoding="utf-8")
        save_file(tensors, tmp_path / "model.safetensors")
        return tmp_path

    return write


def same_positions(model, tensors):
    return torch.equal(model.pos_embed, tensors["pos_embed"])


@pytest.mark.parametrize("size", BY_CHANCE)
def test_the_runs_own_grid_speaks_before_a_square(source, blank, weights_file, size):
    tensors, model = source(VIT, size).state_dict(), blank(VIT, size)
    coverage = load_backbone_weights(model, weights_file(tensors))
    assert same_positions(model, tensors)
    patches = size[0] * size[1] // 256
    assert coverage.resized == ()
    assert coverage.grid[0] == (
        f"its positions are read as {patches} of patches and one of the class token; if they are "
        f"{patches + 1} of patches and none of the class token, write the file's grid, "
        "model.position_grid: [H, W]"
    )


@pytest.mark.parametrize("kind", ["vit", "timm"])
@pytest.mark.parametrize("size", BY_CHANCE)
def test_the_size_in_config_json_speaks_before_a_square(source, blank, snapshot, kind, size):
    tensors, model = source(VIT, size).state_dict(), blank(VIT, size)
    coverage = load_backbone_weights(model, snapshot(tensors, kind, list(size)))
    assert same_positions(model, tensors)
    assert (coverage.resized, coverage.grid) == ((), ())


def test_config_json_tells_the_grid_at_another_size(source, blank, snapshot):
    tensors, model = source(VIT, (96, 128)).state_dict(), blank(VIT, (64, 64))
    load_backbone_weights(model, snapshot(tensors, "vit", [96, 128]))
    stated = blank(VIT, (64, 64))
    load_backbone_weights(stated, snapshot(tensors, "vit", [96, 128]), grid=FileGrid((6, 8)))
    assert torch.equal(model.pos_embed, stated.pos_embed)


@pytest.mark.parametrize(("size", "run"), [((64, 96), (64, 64)), ((96, 128), (64, 64))])
def test_a_square_by_chance_at_another_size_is_refused(source, blank, weights_file, size, run):
    file = weights_file(source(VIT, size).state_dict())
    patches = size[0] * size[1] // 256
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(blank(VIT, run), file)
    assert str(caught.value) == (
        f"{file}: its position embeddings can be read in two ways, as {patches} of patches and one "
        f"of the class token, or as {patches + 1} of patches and none of the class token. Fix: say "
        "the file's own grid, model.position_grid: [H, W] in patches, or train at the image size "
        "that it was made for."
    )
    with rehearsal():
        assert load_backbone_weights(blank(VIT, run), file).share == 1


def test_a_config_json_that_contradicts_the_runs_grid_is_refused(source, blank, snapshot):
    """timm writes 224 pixels by default; the file was made for 208 x 240."""
    folder = snapshot(source(VIT, (208, 240)).state_dict(), "timm", [224, 224])
    with pytest.raises(ModelError, match=r"two ways, as 195 of patches and one .* or as 196 "):
        load_backbone_weights(blank(VIT, (208, 240)), folder)


def test_a_position_that_lacks_is_said_to_lack(source, blank, weights_file):
    file = weights_file(source(VIT, (64, 64), **LACKING).state_dict())
    model = blank(VIT, (64, 64))
    coverage = load_backbone_weights(model, file)
    assert not model.pos_embed[:, 0].any()
    assert coverage.grid[0].startswith("its positions are read as 16 of patches and none of the ")


@pytest.mark.parametrize("size", [(64, 64), (32, 96)])
def test_a_position_too_many_moves_into_the_token(source, blank, weights_file, size):
    tensors, model = source(VIT, (64, 64)).state_dict(), blank(VIT, size, **LACKING)
    coverage = load_backbone_weights(model, weights_file(tensors))
    moved = tensors["cls_token"] + tensors["pos_embed"][:, :1]
    assert torch.allclose(model.cls_token, moved)
    assert coverage.grid[0].startswith("its positions are read as 16 of patches and one of the ")


def test_a_backbone_without_the_position_keeps_the_grid_of_config_json(source, blank, snapshot):
    """50 positions are 5 x 10 patches, as config.json says, and not 7 x 7 and the class token."""
    tensors = source(VIT, (80, 160), **LACKING).state_dict()
    model = blank(VIT, (64, 64), **LACKING)
    load_backbone_weights(model, snapshot(tensors, "timm", [80, 160]))
    assert torch.equal(model.cls_token, tensors["cls_token"])


@pytest.mark.parametrize(("more", "count"), [({}, 37), (LACKING, 36)])
def test_published_weights_are_squares_without_a_word(source, blank, weights_file, more, count):
    tensors = source(VIT, (96, 96), **more).state_dict()
    assert tensors["pos_embed"].shape[1] == count
    model = blank(VIT, (80, 112))  # 35 patches, which 36 and no class token may be by chance
    coverage = load_backbone_weights(model, weights_file(tensors), grid=FileGrid(square=True))
    assert coverage.grid == ()
    assert bool(model.pos_embed[:, 0].any()) == (count == 37)
