"""Positions, tables and stems of another size: adapted exactly, or refused."""

import pytest
import torch
from timm.layers import resample_abs_pos_embed, resample_patch_embed

from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.modeling.weights import load_backbone_weights
from nnunet_vit.modeling.weights.shapes.grids import FileGrid, rehearsal

pytestmark = pytest.mark.unit

STEM, POSITIONS, TABLE = (
    "patch_embed.proj.weight",
    "pos_embed",
    "blocks.0.attn.relative_position_bias_table",
)
WITH_POSITIONS = [
    ("vit_base_patch16_224", {}, 1),
    ("vit_small_patch14_reg4_dinov2", {}, 0),
    ("deit_small_distilled_patch16_224", {}, 2),
    ("deit3_small_patch16_224", {}, 0),
    ("vit_base_patch16_siglip_224", {"global_pool": ""}, 0),
    ("eva02_tiny_patch14_224", {}, 1),
    ("eva02_base_patch14_224", {}, 1),
]


def patch_of(name):
    return 14 if "patch14" in name else 16


@pytest.mark.parametrize(("name", "more", "prefix"), WITH_POSITIONS)
@pytest.mark.parametrize("grid", [(8, 2), (2, 8), (3, 5), (6, 6)])
def test_positions_of_every_class(source, blank, weights_file, name, more, prefix, grid):
    """8 x 2 and 2 x 8 patches are as many as the file's 4 x 4, which the run therefore says."""
    patch = patch_of(name)
    trained = source(name, (4 * patch, 4 * patch), **more).state_dict()
    model = blank(name, (grid[0] * patch, grid[1] * patch), **more)
    coverage = load_backbone_weights(model, weights_file(trained), grid=FileGrid((4, 4)))
    assert (coverage.resized, coverage.share, coverage.notes) == ((POSITIONS,), 1, ())
    assert torch.equal(model.state_dict()[POSITIONS][:, :prefix], trained[POSITIONS][:, :prefix])
    expected = resample_abs_pos_embed(
        trained[POSITIONS], new_size=list(grid), old_size=[4, 4], num_prefix_tokens=prefix
    )
    assert torch.allclose(model.state_dict()[POSITIONS], expected, atol=1e-6)


def test_metas_registers_at_another_aspect(source, blank, weights_file):
    """17 positions, one of them the class token's: 4 x 4 patches, wanted for 8 x 2."""
    name = "vit_small_patch14_reg4_dinov2"
    trained = source(name, (56, 56)).state_dict()
    meta = {key.replace("reg_token", "register_tokens"): value for key, value in trained.items()}
    position = torch.full((1, 1, 48), 0.5)
    meta[POSITIONS] = torch.cat([position, trained[POSITIONS]], dim=1)
    model, expected = blank(name, (112, 28)), blank(name, (112, 28))
    square = FileGrid((4, 4))
    load_backbone_weights(model, weights_file(meta, "meta.safetensors"), grid=square)
    load_backbone_weights(expected, weights_file(trained), grid=square)
    assert torch.equal(model.state_dict()[POSITIONS], expected.state_dict()[POSITIONS])
    assert torch.allclose(model.state_dict()["cls_token"], trained["cls_token"] + 0.5)


def test_a_file_of_a_grid_that_is_no_square_comes_back_at_its_own_size(source, blank, weights_file):
    trained = source("vit_base_patch16_224", (32, 48))
    model = blank("vit_base_patch16_224", (32, 48))
    coverage = load_backbone_weights(model, weights_file(trained.state_dict()))
    assert coverage.resized == ()
    assert torch.equal(model.state_dict()[POSITIONS], trained.state_dict()[POSITIONS])


@pytest.mark.parametrize("size", [(32, 64), (64, 64)])
def test_a_grid_that_is_no_square_cannot_be_resized(source, blank, weights_file, size):
    file = weights_file(source("vit_base_patch16_224", (32, 48)).state_dict())
    model = blank("vit_base_patch16_224", size)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(model, file)
    assert str(caught.value) == (
        f"{file}: its position embeddings are of 6 patches, which is no square, so they cannot be "
        f"resized to {size[0] // 16} x {size[1] // 16} patches. Fix: say the file's own grid, "
        "model.position_grid: [H, W] in patches, or train at the image size that it was made for."
    )
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())


@pytest.mark.parametrize("grid", [(4, 4), (2, 6), (7, 3), (8, 8)])
@pytest.mark.filterwarnings("error")
def test_beits_tables_of_relative_positions(source, blank, weights_file, grid):
    """A bias that grows with the distance upwards does so at every size, and only so."""
    name = "beit_base_patch16_224"
    trained = source(name, (64, 64)).state_dict()
    ramp = torch.arange(-3.0, 4)[:, None].expand(7, 7).reshape(49, 1).expand(-1, 2)
    others = torch.tensor([[11.0, 12], [13, 14], [15, 16]])
    trained[TABLE] = torch.cat([ramp, others])
    model = blank(name, (grid[0] * 16, grid[1] * 16))
    coverage = load_backbone_weights(model, weights_file(trained))
    table = model.state_dict()[TABLE]
    assert torch.equal(table[-3:], others)
    inner = table[:-3, 0].reshape(2 * grid[0] - 1, 2 * grid[1] - 1)
    near = inner[grid[0] - 2 : grid[0] + 1]  # distances of -1, 0 and 1
    assert (near.diff(dim=0) > 0.3).all()
    assert (inner.diff(dim=0) > -1e-5).all()
    assert torch.allclose(inner, -inner.flip(0), atol=1e-5)
    assert inner.diff(dim=1).abs().max() < 1e-5
    assert (TABLE in coverage.resized) == (grid != (4, 4))


@pytest.mark.parametrize(("there", "here"), [(14, 16), (16, 14), (16, 8)])
def test_the_patch_is_resampled(source, blank, weights_file, there, here):
    name = "vit_small_patch14_dinov2"
    trained = source(name, (4 * there, 4 * there), patch_size=there).state_dict()
    model = blank(name, (2 * here, 6 * here), patch_size=here)
    coverage = load_backbone_weights(model, weights_file(trained))
    assert set(coverage.resized) == {STEM, POSITIONS}
    expected = resample_patch_embed(trained[STEM], [here, here])
    assert torch.equal(model.state_dict()[STEM], expected)


def test_the_patch_of_one_channel_is_resampled(source, blank, weights_file):
    name = "vit_small_patch14_dinov2"
    trained = source(name, (56, 56)).state_dict()
    model = blank(name, (64, 64), 1, patch_size=16)
    assert load_backbone_weights(model, weights_file(trained)).resized == (STEM,)
    expected = resample_patch_embed(trained[STEM].sum(dim=1, keepdim=True), [16, 16])
    assert torch.allclose(model.state_dict()[STEM], expected, atol=1e-5)


def test_a_smooth_image_is_seen_alike_through_another_patch(source, blank, weights_file):
    """A ramp of light across a patch answers through 16 pixels as it does through 14."""
    name = "vit_small_patch14_dinov2"
    trained = source(name, (56, 56))
    model = blank(name, (64, 64), patch_size=16)
    load_backbone_weights(model, weights_file(trained.state_dict()))
    ramps = [
        torch.linspace(-1, 1, 4 * edge * 2 + 1)[1::2].expand(1, 3, 4 * edge, -1)
        for edge in (14, 16)
    ]
    with torch.no_grad():
        seen = [one.patch_embed(ramp) for one, ramp in zip((trained, model), ramps, strict=True)]
    assert (seen[0] - seen[1]).norm() / seen[0].norm() < 0.05


def test_the_stem_of_older_files_is_a_linear_layer(source, blank, weights_file):
    trained = source("vit_base_patch16_224", (64, 64)).state_dict()
    tensors = {**trained, STEM: trained[STEM].flatten(1)}
    model = blank("vit_base_patch16_224", (64, 64))
    load_backbone_weights(model, weights_file(tensors))
    assert torch.equal(model.state_dict()[STEM], trained[STEM])


VIT = "vit_base_patch16_224"


@pytest.mark.parametrize(("size", "other"), [((64, 16), "[2, 2]"), ((32, 48), "[3, 2]")])
def test_equal_counts_are_the_runs_own_grid_and_the_reading_is_said(
    source, blank, weights_file, size, other
):
    trained, model = source(VIT, size).state_dict(), blank(VIT, size)
    coverage = load_backbone_weights(model, weights_file(trained))
    grid = [edge // 16 for edge in size]
    assert torch.equal(model.state_dict()[POSITIONS], trained[POSITIONS])
    assert coverage.grid == (
        f"its {grid[0] * grid[1]} positions are read as {grid[0]} x {grid[1]} patches, the run's "
        f"own grid; if the file was made for another, write it, such as model.position_grid: "
        f"{other}",
    )
    assert coverage.grid[0] in coverage.summary()


@pytest.mark.parametrize("size", [(64, 64), (32, 32)])
def test_a_square_grid_says_nothing(source, blank, weights_file, size):
    file = weights_file(source(VIT, (64, 64)).state_dict())
    assert load_backbone_weights(blank(VIT, size), file).grid == ()


def test_a_grid_that_is_given_turns_positions_round(source, blank, weights_file):
    trained, model = source(VIT, (32, 48)).state_dict(), blank(VIT, (48, 32))
    coverage = load_backbone_weights(model, weights_file(trained), grid=FileGrid((2, 3)))
    expected = resample_abs_pos_embed(trained[POSITIONS], new_size=[3, 2], old_size=[2, 3])
    assert torch.allclose(model.state_dict()[POSITIONS], expected, atol=1e-6)
    assert (coverage.resized, coverage.grid) == ((POSITIONS,), ())


def test_a_grid_of_another_count_is_refused(source, blank, weights_file):
    file = weights_file(source(VIT, (32, 48)).state_dict())
    with pytest.raises(ConfigError, match=r"given \[3, 3\], which is 9 patches; .* of 6\."):
        load_backbone_weights(blank(VIT, (64, 64)), file, grid=FileGrid((3, 3)))


def test_published_weights_are_square(source, blank, weights_file):
    file = weights_file(source(VIT, (64, 64)).state_dict())
    coverage = load_backbone_weights(blank(VIT, (128, 32)), file, grid=FileGrid(square=True))
    assert (coverage.resized, coverage.grid) == ((POSITIONS,), ())


def test_a_network_that_is_only_tried_takes_any_grid(source, blank, weights_file):
    file = weights_file(source(VIT, (32, 48)).state_dict())
    with rehearsal():
        assert load_backbone_weights(blank(VIT, (64, 64)), file).share == 1


def test_a_table_of_a_grid_that_is_no_square_is_resized(source, blank, weights_file):
    name = "beit_base_patch16_224"
    trained, model = source(name, (32, 64)).state_dict(), blank(name, (64, 64))
    coverage = load_backbone_weights(model, weights_file(trained), grid=FileGrid((2, 4)))
    assert TABLE in coverage.resized
    assert torch.equal(model.state_dict()[TABLE][-3:], trained[TABLE][-3:])
