import pytest
import timm
import torch

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.backbone import ViTBackbone

pytestmark = pytest.mark.unit

SMALL = {"depth": 3, "embed_dim": 48, "num_heads": 4, "num_classes": 0}
NAMES = [
    "vit_small_patch14_reg4_dinov2",
    "vit_base_patch16_siglip_224",
    "vit_base_patch16_clip_224",
    "vit_small_patch16_dinov3",
    "vit_small_patch16_rope_mixed_224",
    "eva02_tiny_patch14_224",
    "deit_tiny_distilled_patch16_224",
    "beit_base_patch16_224",
    "beitv2_base_patch16_224",
]


@pytest.fixture(params=NAMES)
def vit(request, one_thread):
    torch.manual_seed(0)
    model = timm.create_model(
        request.param, img_size=(56, 84) if "14" in request.param else (48, 80), **SMALL
    )
    for value in model.parameters():  # tables of positions begin with zeros
        torch.nn.init.normal_(value, std=0.1)
    return ViTBackbone(model.eval())


def images_for(vit):
    rows, columns = (4, 6) if vit.patch_size == 14 else (3, 5)
    return torch.randn(2, 3, rows * vit.patch_size, columns * vit.patch_size)


def all_but(tokens, added):
    """A mask with which nobody but the added tokens looks at the added tokens."""
    count = tokens.values.shape[1]
    mask = torch.ones(2, count, count, dtype=torch.bool)
    mask[:, : count - added, count - added :] = False
    return mask


def test_blocks_in_two_goes_are_the_feature_maps(vit):
    images = images_for(vit)
    tokens = vit.run_blocks(vit.run_blocks(vit.embed(images), 0, 2), 2, 3)
    torch.testing.assert_close(vit.normalized(tokens).maps, vit.feature_maps(images, [-1])[0])


def test_replaced_maps_go_on_through_the_blocks(vit):
    images = images_for(vit)
    tokens = vit.run_blocks(vit.embed(images), 0, 2)
    same = tokens.with_maps(tokens.maps)
    assert torch.equal(same.values, tokens.values)
    other = tokens.with_maps(tokens.maps + torch.randn_like(tokens.maps))
    first, second = (vit.run_blocks(given, 2, 3).maps for given in (tokens, other))
    assert not torch.allclose(first, second)


def test_added_tokens_that_are_hidden_change_nothing(vit):
    images = images_for(vit)
    tokens = vit.run_blocks(vit.embed(images), 0, 1).with_added(torch.randn(1, 7, 48))
    done = vit.run_blocks(tokens, 1, 3, all_but(tokens, 7))
    assert done.added.shape == (2, 7, 48)
    torch.testing.assert_close(vit.normalized(done).maps, vit.feature_maps(images, [-1])[0])


def test_added_tokens_that_are_seen_change_the_maps(vit):
    images = images_for(vit)
    tokens = vit.run_blocks(vit.embed(images), 0, 1).with_added(torch.randn(1, 7, 48))
    done = vit.run_blocks(tokens, 1, 3)
    assert not torch.allclose(vit.normalized(done).maps, vit.feature_maps(images, [-1])[0])


def test_the_order_of_added_tokens_means_nothing(vit):
    before = vit.embed(images_for(vit))
    added, order = torch.randn(2, 5, 48), torch.tensor([3, 1, 4, 0, 2])
    first = vit.run_blocks(before.with_added(added), 0, 3)
    second = vit.run_blocks(before.with_added(added[:, order]), 0, 3)
    torch.testing.assert_close(first.added[:, order], second.added)


def test_a_masked_token_sees_only_what_the_mask_leaves(vit):
    images = images_for(vit)
    tokens = vit.embed(images).with_added(torch.randn(1, 2, 48))
    count = tokens.values.shape[1]
    mask = all_but(tokens, 2)
    mask[:, -1, :-1] = False  # the last one sees itself alone
    changed = tokens.with_maps(tokens.maps + torch.randn_like(tokens.maps))
    first, second = (vit.run_blocks(given, 0, 1, mask).added for given in (tokens, changed))
    torch.testing.assert_close(first[:, 1], second[:, 1])
    assert not torch.allclose(first[:, 0], second[:, 0])
    assert mask.shape == (2, count, count)


def test_gradient_checkpointing_changes_no_gradient(vit):
    images, added = images_for(vit), torch.randn(1, 3, 48)

    def gradients(checkpointing):
        vit.model.set_grad_checkpointing(checkpointing)
        vit.zero_grad()
        tokens = vit.embed(images).with_added(added)
        vit.run_blocks(tokens, 0, 3, all_but(tokens, 3)).values.square().sum().backward()
        return {n: p.grad.clone() for n, p in vit.named_parameters() if p.grad is not None}

    plain, recomputed = gradients(False), gradients(True)
    assert plain.keys() == recomputed.keys()
    for name, value in plain.items():
        torch.testing.assert_close(value, recomputed[name], msg=name)


@pytest.fixture
def small():
    return ViTBackbone(timm.create_model("test_vit", num_classes=0, img_size=64))


def test_maps_of_another_grid_are_refused(small):
    tokens = small.embed(torch.zeros(2, 3, 64, 64))
    with pytest.raises(ValueError, match=r"^maps of .*; needed: \(2, 64, 4, 4\)"):
        tokens.with_maps(torch.zeros(2, 64, 8, 8))


@pytest.mark.parametrize(("start", "stop"), [(-1, 6), (5, 2), (0, 99)])
def test_blocks_that_do_not_exist_are_refused(small, start, stop):
    tokens = small.embed(torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match=f"^blocks from {start} to {stop}; allowed: 0 to 6"):
        small.run_blocks(tokens, start, stop)


@pytest.mark.parametrize("shape", [(17, 17), (3, 17, 17), (2, 16, 16), (2, 1, 17, 17)])
def test_masks_of_another_shape_are_refused(small, shape):
    tokens = small.embed(torch.zeros(2, 3, 64, 64))
    with pytest.raises(ValueError, match=r"needed: \(2 or 1, 17, 17\)"):
        small.run_blocks(tokens, 0, 1, torch.ones(shape, dtype=torch.bool))


def test_one_mask_serves_a_whole_batch(small):
    tokens = small.embed(torch.randn(2, 3, 64, 64))
    mask = torch.rand(1, 17, 17) > 0.3
    mask[:, :, 0] = True
    one, two = (small.run_blocks(tokens, 0, 2, m).values for m in (mask, mask.expand(2, -1, -1)))
    torch.testing.assert_close(one, two)


def test_other_classes_are_refused():
    xcit = timm.create_model(
        "xcit_nano_12_p16_224", depth=2, embed_dim=32, num_heads=4, num_classes=0
    )
    with pytest.raises(ConfigError) as refusal:
        ViTBackbone(xcit).embed(torch.zeros(1, 3, 224, 224))
    assert str(refusal.value) == (
        "This head works between the blocks of the ViT; Xcit of timm's xcit cannot be stopped "
        "there. Fix: a model of timm's vision_transformer, deit, eva, beit, or another head."
    )
