"""Projections that timm reads past their module are called again, with the same numbers."""

import pytest

from nnunet_vit.tuning.adapters.adapted_layers import target_names, target_pattern
from nnunet_vit.tuning.adapters.fuse_attention_bias import fuse_attention_bias

pytestmark = pytest.mark.unit

PARTS = ("q_bias", "k_bias", "v_bias", "qkv_bias", "mlp_bias")


def part_keys(model):
    return {key for key in model.state_dict() if key.rpartition(".")[2] in PARTS}


def filled(model):
    """Give every part of the joint biases a value, the buffers too that timm leaves at zero."""

    for module in model.modules():
        for part in PARTS:
            if getattr(module, part, None) is not None:
                getattr(module, part).data.normal_()
    return model


def defused(model):
    fuse_attention_bias(model, target_pattern(target_names(model, None)))
    return model


def calls(model, last_map):
    """Return the names of the default targets that a forward pass calls."""
    names, seen = target_names(model, None), set()
    for path, module in model.named_modules():
        if path.rpartition(".")[2] in names:
            module.register_forward_hook(lambda *_, path=path: seen.add(path))
    last_map(model)
    return seen


def test_the_features_stay_to_the_last_bit(tiny, fused, last_map):
    import torch

    model = filled(tiny(fused))
    before = last_map(model)
    assert part_keys(model)
    defused(model)
    assert part_keys(model) == set()
    assert torch.equal(last_map(model), before)


def test_the_layer_is_called_only_afterwards(tiny, fused, last_map):
    assert calls(tiny(fused), last_map) == set()
    assert len(calls(defused(tiny(fused)), last_map)) == 2


@pytest.mark.parametrize("size", [(28, 28), (56, 28), (42, 70)])
@pytest.mark.parametrize("name", ["eva02_tiny_patch14_224", "beit_base_patch16_224"])
def test_at_every_size(tiny, last_map, name, size):
    import torch

    if "patch16" in name:
        size = tuple(edge // 14 * 16 for edge in size)
    model = filled(tiny(name, img_size=size))
    before = last_map(model)
    assert torch.equal(last_map(defused(model)), before)


def test_every_way_to_the_features_stays(tiny, fused, images):
    import torch

    model = filled(tiny(fused))
    batch = images(model)

    def ways():
        maps = model.forward_intermediates(batch, indices=[0, 1], norm=True)
        return [model(batch), model.forward_features(batch), maps[0], *maps[1]]

    before = ways()
    defused(model)
    assert all(torch.equal(now, then) for now, then in zip(ways(), before, strict=True))


def test_layers_that_are_called_stay_as_they_are(tiny, variant):
    model = tiny(variant)
    before = {key: id(value) for key, value in model.state_dict(keep_vars=True).items()}
    parts = part_keys(model)
    fuse_attention_bias(model, target_pattern(["proj", "fc2", "attn_out_proj"]))
    after = {key: id(value) for key, value in model.state_dict(keep_vars=True).items()}
    assert after == before
    if not parts:
        defused(model)
        assert list(model.state_dict()) == list(before)


def test_a_bias_that_timm_adds_itself_stays(tiny, last_map):
    import torch

    model = filled(tiny("eva02_tiny_patch14_224"))
    for block in model.blocks:
        block.attn.qkv_bias_separate = True
    before, keys = last_map(model), list(model.state_dict())
    defused(model)
    assert list(model.state_dict()) == keys
    assert torch.equal(last_map(model), before)
