"""Kept features give a step what the backbone would; only in steps, and only where they can."""

import copy

import pytest
import torch
from timm.layers import DropPath

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.modeling.backbone import backbone_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork, network_arguments
from nnunet_vit.modeling.runtime.dropping import dropping_layers
from nnunet_vit.modeling.runtime.feature_tap import FeatureTap
from nnunet_vit.modeling.runtime.mirrored_features import TOLERANCE

pytestmark = pytest.mark.unit
SIZE = (32, 48)
HEADS = ["linear", "segformer", "mask2former", "dpt", "unetr", "upernet", "setr", "segmenter",
         "dino_unet", "primus"]  # fmt: skip
FLOAT32, BFLOAT16 = torch.float32, torch.bfloat16


def network_of(head="linear", backbone="timm:test_vit", size=SIZE, decoder=None, **model):
    torch.manual_seed(1)
    given = {"head": head, "backbone": backbone, "pretrained": False, "tuning": "frozen",
             "decoder": decoder or {}, **model}  # fmt: skip
    run = ViTnnUNetConfig.model_validate({"model": given})
    statistics = ([0.4] * 3, [0.3] * 3)
    return ViTSegmentationNetwork(
        3, 2, deep_supervision=True, **network_arguments(run, size, statistics)
    ).train()


def images_of(count=3, size=SIZE):
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(2))


def tensors_of(output):
    if isinstance(output, torch.Tensor):
        return [output]
    values = output.values() if isinstance(output, dict) else output
    return [tensor for value in values for tensor in tensors_of(value)]


def gradients(network, images):
    """The gradients of a step whose dropout is always the same one."""
    network.zero_grad(set_to_none=True)
    torch.manual_seed(3)
    outputs = tensors_of(network(images))
    sum(each.float().square().mean() for each in outputs).backward()
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def gradients_when_served(network, images, features):
    with FeatureTapNeverComputes(network):
        tap, kept = features
        with tap.serving(kept):
            return gradients(network, images)


class FeatureTapNeverComputes:
    """Fails where the ViT's stem runs: all that follows it came from the cache."""

    def __init__(self, network):
        self.stem = backbone_of(network).model.patch_embed

    def __enter__(self):
        self.hook = self.stem.register_forward_pre_hook(self.fail)

    def fail(self, *_):
        raise AssertionError("the backbone began to compute")

    def __exit__(self, *_):
        self.hook.remove()


@pytest.mark.parametrize("head", HEADS)
def test_gradients_are_those_of_a_step_without_cache(head):
    network, images = network_of(head), images_of()
    usual = gradients(network, images)
    tap = FeatureTap(network, SIZE, FLOAT32)
    found = gradients_when_served(network, images, (tap, tap.compute(images)))
    assert found.keys() == usual.keys() and found
    assert all(torch.equal(found[name], usual[name]) for name in usual)


@pytest.mark.parametrize(
    ("backbone", "size"),
    [
        ("timm:vit_small_patch16_dinov3", (32, 48)),  # rotations
        ("timm:vit_small_patch14_reg4_dinov2", (28, 42)),  # registers
        ("timm:beit_base_patch16_224", (32, 48)),  # tables of relative positions
    ],
)
@pytest.mark.parametrize("head", ["linear", "segformer", "dpt"])
def test_trained_last_blocks_have_the_same_gradients(head, backbone, size):
    given = {"tuning": "last_blocks", "trained_blocks": 1,
             "backbone_arguments": {"embed_dim": 64, "depth": 4, "num_heads": 4}}  # fmt: skip
    network, images = network_of(head, backbone, size, **given), images_of(size=size)
    usual = gradients(network, images)
    assert any("blocks" in name for name in usual)
    tap = FeatureTap(network, size, FLOAT32)
    found = gradients_when_served(network, images, (tap, tap.compute(images)))
    assert found.keys() == usual.keys()
    assert all(torch.equal(found[name], usual[name]) for name in usual)


@pytest.mark.parametrize("head", ["linear", "segformer", "mask2former"])
def test_features_in_bfloat16_move_gradients_little(head):
    network, images = network_of(head), images_of()
    usual = gradients(network, images)
    tap = FeatureTap(network, SIZE, BFLOAT16)
    kept = tap.compute(images)
    assert {value.dtype for value in kept.values()} == {BFLOAT16}
    found = gradients_when_served(network, images, (tap, kept))
    norm = torch.linalg.vector_norm
    whole = torch.cat([usual[name].flatten() for name in usual])
    apart = torch.cat([(found[name] - usual[name]).flatten() for name in usual])
    assert 0 < norm(apart) < 0.02 * norm(whole)


def test_features_of_a_network_in_bfloat16_stay_what_they_were():
    network, images = network_of(precision="bfloat16"), images_of()
    usual = gradients(network, images)
    tap = FeatureTap(network, SIZE, FLOAT32)
    found = gradients_when_served(network, images, (tap, tap.compute(images)))
    assert all(torch.equal(found[name], usual[name]) for name in usual)


def test_a_network_in_eval_is_never_served():
    network, images = network_of(), images_of()
    tap = FeatureTap(network, SIZE, FLOAT32)
    wrong = tap.compute(images.flip(0))
    network.eval()
    with torch.no_grad():
        usual = network(images)
        with tap.serving(wrong):
            assert torch.equal(network(images)[0], usual[0])
    network.train()
    with tap.serving(wrong):
        pass
    with torch.no_grad():
        network.eval()
        assert torch.equal(network(images)[0], usual[0])


def test_an_error_in_a_step_leaves_nothing_behind():
    network, images = network_of(), images_of()
    tap = FeatureTap(network, SIZE, FLOAT32)
    with pytest.raises(KeyError), tap.serving(tap.compute(images)):
        raise KeyError
    assert not {"feature_maps", "feature_maps_and_prefix"} & vars(tap.backbone).keys()


@pytest.mark.parametrize("head", ["linear", "mask2former", "upernet"])
def test_a_look_at_a_network_changes_nothing(head):
    network = network_of(head)
    network.model.backbone.eval()
    modes = [module.training for module in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    tap = FeatureTap(network, SIZE, FLOAT32)
    tap.compute(images_of())
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_what_drops_at_random_in_training_does_not_in_kept_features():
    network, images = network_of(), images_of()
    backbone = backbone_of(network)
    usual = FeatureTap(network, SIZE, FLOAT32).compute(images)
    assert dropping_layers(backbone) == []
    for block in backbone.model.blocks:
        block.drop_path2 = DropPath(0.5)
    tap = FeatureTap(network, SIZE, FLOAT32)
    kept = tap.compute(images)
    assert all(torch.equal(kept[name], usual[name]) for name in usual)
    assert backbone.training and len(dropping_layers(backbone)) == backbone.depth


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"head": "eomt"}, "the head runs the ViT itself, or block by block"),
        ({"tuning": "full"}, "the training changes the backbone from its beginning (cls_token)"),
        ({"tuning": "lora"}, "the training changes the backbone from its beginning (blocks.0.attn"),
        ({"tuning": "last_blocks", "trained_blocks": 6}, "from its beginning (blocks.0.norm1"),
        (
            {"head": "dino_unet", "decoder": {"exchange": "both_ways"}},
            "the head runs the ViT itself, or block by block",
        ),
    ],
)
def test_networks_whose_features_cannot_be_kept(given, words):
    network = network_of(**given)
    with pytest.raises(ConfigError) as raised:
        FeatureTap(network, SIZE, FLOAT32)
    assert raised.value.problem.startswith("train.feature_cache: ") and words in str(raised.value)
    assert "Fix: leave out train.feature_cache, or choose a head" in str(raised.value)


def test_a_head_that_changes_the_images_first():
    network = network_of()
    ask = network.model.forward
    network.model.forward = lambda images: ask(images.flip(-1))
    with pytest.raises(ConfigError, match="other images than those that it gets"):
        FeatureTap(network, SIZE, FLOAT32)


def test_a_head_with_a_backbone_of_its_own():
    network = network_of()
    network.model.second = copy.deepcopy(backbone_of(network))
    with pytest.raises(ConfigError, match="the head builds its backbone itself"):
        FeatureTap(network, SIZE, FLOAT32)


def test_a_head_that_asks_for_something_else_later():
    network, images = network_of(), images_of()
    tap = FeatureTap(network, SIZE, FLOAT32)
    with tap.serving(tap.compute(images)):
        with pytest.raises(PluginError, match="has not done so when the training began"):
            tap.backbone.feature_maps(images, [0])
        with pytest.raises(PluginError, match="2 images"):
            tap.backbone.feature_maps(images[:2], [-1])


def test_heads_may_work_in_place():
    network, images = network_of(), images_of()
    tap = FeatureTap(network, SIZE, FLOAT32)
    kept = tap.compute(images)
    with tap.serving(kept), torch.no_grad():
        before = tap.backbone.feature_maps(images, [-1])[0]
        tap.backbone.feature_maps(images, [-1])[0].zero_()
        assert torch.equal(tap.backbone.feature_maps(images, [-1])[0], before)


def test_a_vit_with_positions_does_not_commute_with_mirroring():
    errors = FeatureTap(network_of(), SIZE, FLOAT32).mirroring_errors([-2, -1])
    assert all(0.01 < error < 3 for error in errors.values())


@pytest.mark.parametrize("tuning", ["frozen", "last_blocks"])
def test_a_vit_that_commutes_is_found(tuning):
    network = network_of("dpt", tuning=tuning, trained_blocks=1)
    vit = backbone_of(network).model
    with torch.no_grad():
        vit.pos_embed.zero_()
        kernel = vit.patch_embed.proj.weight
        kernel.copy_(kernel + kernel.flip(-1))
    errors = FeatureTap(network, SIZE, FLOAT32).mirroring_errors([-2, -1])
    assert errors[-1] < TOLERANCE < errors[-2]
