"""The dpt head: strides, readouts, gradients, deep supervision, options."""

import decoder_behaviour as decoders
import pytest
import torch

from nnunet_vit.testing.maps import NoiseMaps
from nnunet_vit_dpt import DptOptions

pytestmark = pytest.mark.unit

HEAD = "dpt"
OPTIONS = {"hidden_size": 32}
READOUTS = ["project", "add", "ignore"]
SMALL = {"embed_dim": 64, "num_heads": 4, "depth": 2}
SUMMARIES = [
    ("test_vit", {}, 1),
    ("vit_small_patch14_reg4_dinov2", SMALL, 5),
    ("vit_small_patch16_dinov3", SMALL, 5),
    ("eva02_tiny_patch14_224", SMALL, 1),
    ("vit_base_patch16_siglip_224", SMALL, 0),
    ("eva_large_patch14_196", {**SMALL, "class_token": False}, 0),
    ("xcit_nano_12_p8_224", {"depth": 2}, 0),
]


@pytest.mark.parametrize("patch", [8, 14, 16, 32])
def test_tokens_become_maps_of_four_strides(head_on, patch):
    model = head_on(NoiseMaps(patch), hidden_size=16)
    images = torch.randn(2, 3, 4 * patch, 5 * patch)
    levels = [(torch.randn(2, 6, 4, 5), torch.randn(2, 6))] * 4
    maps = model.decoder.reassembly(levels)
    assert [level.shape[-2:] for level in maps] == [(16, 20), (8, 10), (4, 5), (2, 3)]
    fused = model.decoder(levels)
    assert [level.shape[-2:] for level in fused] == [(4, 6), (8, 12), (16, 24), (32, 48)]
    assert model(images).shape == (2, 2, 4 * patch, 5 * patch)


@pytest.fixture
def small_vit():
    """`small_vit(name, settings)` is the backbone that a head is given, and a size for it."""

    def build(name, settings):
        import timm

        from nnunet_vit.modeling.backbone import ViTBackbone

        torch.manual_seed(0)
        patch = 8 if "p8" in name else 14 if "14" in name else 16
        size = (2 * patch, 3 * patch)
        sized = {} if name.startswith("xcit") else {"img_size": size}
        return ViTBackbone(timm.create_model(name, num_classes=0, **settings, **sized)), size

    return build


@pytest.mark.parametrize(("name", "settings", "prefix"), SUMMARIES)
@pytest.mark.parametrize("readout", READOUTS)
def test_readouts_on_vits_with_class_token_and_without(
    head_on, small_vit, name, settings, prefix, readout
):
    backbone, size = small_vit(name, settings)
    assert backbone.prefix_tokens == prefix
    model = head_on(backbone, hidden_size=8, readout=readout)
    logits = model(torch.randn(1, 3, *size))
    logits.square().mean().backward()
    own = [(n, value.grad) for n, value in model.named_parameters() if "backbone." not in n]
    assert logits.shape == (1, 2, *size)
    assert [n for n, gradient in own if gradient is None] == []


@pytest.mark.parametrize(("name", "settings", "prefix"), SUMMARIES[:4])
def test_prefix_tokens_come_with_the_maps(small_vit, name, settings, prefix):
    """In the order asked for, repeated where asked for, the maps as without them."""
    from nnunet_vit_dpt.tokens import levels_of

    backbone, size = small_vit(name, settings)
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        found = backbone.eval().feature_maps_and_prefix(images, [-1, 0, 0, 1])
        for (features, tokens), expected in zip(
            found, backbone.feature_maps(images, [-1, 0, 0, 1]), strict=True
        ):
            assert torch.equal(features, expected)
            assert tokens.shape == (2, prefix, 64)
        whole = backbone.model.forward_features(images)
        ((_, summary),) = levels_of(backbone, images, [-1], with_summary=True)
    assert torch.allclose(found[0][1], whole[:, :prefix], atol=1e-5)
    assert torch.allclose(summary, whole[:, 0], atol=1e-5)  # the class token, not a register


@pytest.mark.parametrize("readout", READOUTS)
def test_what_the_class_token_changes(build_head, readout):
    """A readout that uses it follows it; one that ignores it does not."""
    from nnunet_vit_dpt.tokens import levels_of

    model = build_head(options={"readout": readout}).eval()
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        levels = levels_of(model.backbone, images, model.layers, with_summary=True)
        before = model.decoder(levels)[-1]
        after = model.decoder([(features, summary + 1) for features, summary in levels])[-1]
    assert torch.equal(before, after) == (readout == "ignore")


def test_no_weight_is_saved_twice(build_head):
    model = build_head()
    assert len(model.state_dict()) == len(list(model.named_parameters()))


@pytest.mark.parametrize("hidden", [8, 12, 17, 68])
def test_any_allowed_width_on_an_image_of_one_patch(build_head, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = build_head(options={"hidden_size": hidden}, deep_supervision=True)
    assert decoders.widths_on_one_patch(model) == [16, 8, 4, 2]


def test_levels_of_small_patches_stay_below_the_image(head_on):
    model = head_on(NoiseMaps(4), deep_supervision=True, readout="ignore", hidden_size=8)
    levels = model(torch.zeros(1, 3, 12, 16))
    assert [tuple(level.shape[-2:]) for level in levels] == [(12, 16), (8, 8), (4, 4)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        *decoders.beyond("hidden_size", 8, 2048),
        decoders.DROPOUT_OF_1,
        decoders.misspelt("hiden_size", "hidden_size", "hidden_size, readout, dropout"),
        ("readout: cls", "readout: given 'cls'; allowed: 'project' or 'add' or 'ignore'"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


@pytest.mark.parametrize("depth", decoders.QUARTERS)
def test_the_levels_end_with_the_last_block(head_on, depth):
    model = head_on(NoiseMaps(16, depth), hidden_size=16)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 2, 32, 32)
    assert model.backbone.layers == decoders.QUARTERS[depth]


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("levels", [1, 4])
def test_every_parameter_learns(build_head, batch, levels):
    """With deep supervision and where the coarser levels are dropped."""
    options = {"dropout": 0}
    model = build_head(image_size=(64, 96), options=options, deep_supervision=True).train()
    outputs = model(torch.randn(batch, 3, 64, 96))[:levels]
    loss = decoders.squares(outputs)
    assert decoders.unlearned(model, loss) == ([], [])


def test_deep_supervision_is_finest_first_and_changes_no_parameter(build_head):
    deep, plain = (build_head(image_size=(64, 96), deep_supervision=is_) for is_ in (True, False))
    shapes = decoders.shapes_of_levels(deep, plain, torch.randn(2, 3, 64, 96))
    assert shapes == [(2, 3, 64, 96), (2, 3, 16, 24), (2, 3, 8, 12), (2, 3, 4, 6)]


def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head):
    model = build_head(options={"dropout": 0}).train()
    assert torch.allclose(*decoders.together_and_alone(model), atol=1e-5)


def test_dropout_is_for_training(build_head):
    assert decoders.drops_in_training_alone(build_head(options={"dropout": 0.5}))
    assert build_head().classifier[3].p == 0.1


def test_half_precision_is_finite(build_head):
    levels = decoders.in_precision(
        build_head(deep_supervision=True), 100 * torch.randn(1, 3, 48, 32)
    )
    assert len(levels) == 4
    assert all(torch.isfinite(level).all() for level in levels)


def test_the_defaults():
    assert (DptOptions().hidden_size, DptOptions().dropout) == (256, 0.1)
