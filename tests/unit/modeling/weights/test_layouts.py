"""Files laid out as training codes write them: features are those of the network that was saved."""

import argparse
import re

import numpy as np
import pytest
import torch

from nnunet_vit.modeling.weights import load_backbone_weights
from nnunet_vit.modeling.weights.shapes.grids import FileGrid

pytestmark = pytest.mark.unit

VIT, SIZE = "vit_base_patch16_224", (64, 64)
DINOV2, DINOV2_SIZE = "vit_small_patch14_dinov2", (56, 56)


def prefixed(prefix, tensors):
    return {prefix + name: value for name, value in tensors.items()}


def chunked(tensors, chunk=1):
    """Number blocks twice, as DINOv2's training does: blocks.<chunk>.<block>."""
    pattern = r"^blocks\.(\d+)\."
    return {
        re.sub(pattern, lambda found: f"blocks.{int(found[1]) // chunk}.{found[1]}.", name): value
        for name, value in tensors.items()
    }


def training_state(tensors):
    """What an optimizer keeps beside the weights: tensors too, and they are not weights."""
    return {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": np.float64(0.1)}]}


def arguments():
    return argparse.Namespace(lr=1e-3, blr=np.float32(0.5), epochs=np.int64(3), name="pretraining")


def mae_file(tensors):
    decoder = {
        "mask_token": torch.zeros(1, 1, 32),
        "decoder_pos_embed": torch.zeros(1, 17, 32),
        "decoder_embed.weight": torch.zeros(32, 48),
        "decoder_embed.bias": torch.zeros(32),
        "decoder_blocks.0.norm1.weight": torch.zeros(32),
        "decoder_blocks.0.attn.qkv.weight": torch.zeros(96, 32),
        "decoder_norm.weight": torch.zeros(32),
        "decoder_pred.weight": torch.zeros(768, 32),
    }
    state = training_state(tensors)
    return {"model": {**tensors, **decoder}, "optimizer": state, "epoch": 3, "args": arguments()}


def test_mae_and_retfound(source, blank, weights_file, assert_same_features):
    trained, model = source(VIT, SIZE), blank(VIT, SIZE)
    coverage = load_backbone_weights(model, weights_file(mae_file(trained.state_dict()), "m.pth"))
    assert coverage.summary() == (
        "m.pth covers 100 % of the backbone: 30 tensors, 94416 parameters; "
        "skipped: mask_token, 7 decoder tensors"
    )
    assert_same_features(model, trained, *SIZE)


def test_retfound_that_was_fine_tuned(source, blank, weights_file):
    """It has a norm after pooling, and a classifier, in place of the last norm."""
    trained, model = source(VIT, SIZE).state_dict(), blank(VIT, SIZE)
    before = model.state_dict()["norm.weight"].clone()
    names = {"norm.weight": "fc_norm.weight", "norm.bias": "fc_norm.bias"}
    tensors = {names.get(name, name): value for name, value in trained.items()}
    tensors["head.weight"] = torch.zeros(5, 48)
    coverage = load_backbone_weights(model, weights_file({"model": tensors}, "r.pth"))
    assert coverage.missing == ("norm.weight", "norm.bias")
    assert coverage.skipped == ("fc_norm.weight", "fc_norm.bias", "head.weight")
    assert coverage.share == 1 - 96 / coverage.all_parameters
    own = model.state_dict()
    assert torch.equal(own["norm.weight"], before)
    assert all(torch.equal(own[n], trained[n]) for n in own if not n.startswith("norm."))


def test_visionfm(source, blank, weights_file, assert_same_features):
    trained, other, model = source(VIT, SIZE), blank(VIT, SIZE), blank(VIT, SIZE)
    extra = {"masked_embed": torch.zeros(1, 48)}
    head = {"head.mlp.0.weight": torch.zeros(8, 48), "head.last_layer.weight_v": torch.zeros(9, 8)}
    content = {
        "student": prefixed("module.backbone.", other.state_dict()) | prefixed("module.", head),
        "teacher": prefixed("backbone.", {**trained.state_dict(), **extra}) | head,
        "optimizer": training_state(trained),
        "args": arguments(),
        "ibot_loss": {"center": torch.zeros(1, 9)},
    }
    coverage = load_backbone_weights(model, weights_file(content, "visionfm.pth"))
    assert_same_features(model, trained, *SIZE)
    assert coverage.share == 1
    assert coverage.skipped[:3] == (
        "masked_embed",
        "teacher.head.mlp.0.weight",
        "teacher.head.last_layer.weight_v",
    )
    assert {name.split(".")[0] for name in coverage.skipped[3:]} == {"student", "ibot_loss"}


@pytest.mark.parametrize("chunk", [1, 2])
def test_a_dinov2_teacher_in_chunks(source, blank, weights_file, assert_same_features, chunk):
    trained, model = source(DINOV2, DINOV2_SIZE), blank(DINOV2, DINOV2_SIZE)
    tensors = {**chunked(trained.state_dict(), chunk), "mask_token": torch.zeros(1, 48)}
    heads = {"dino_head.mlp.0.weight": torch.zeros(8, 48), "ibot_head.x": torch.zeros(3)}
    file = weights_file({"teacher": {**prefixed("backbone.", tensors), **heads}}, "t.pth")
    coverage = load_backbone_weights(model, file)
    assert_same_features(model, trained, *DINOV2_SIZE)
    assert coverage.skipped == (
        "mask_token",
        "teacher.dino_head.mlp.0.weight",
        "teacher.ibot_head.x",
    )


def test_a_gated_dinov2_in_its_makers_names(source, blank, weights_file, assert_same_features):
    name = "vit_giant_patch14_dinov2"
    trained, model = source(name, DINOV2_SIZE), blank(name, DINOV2_SIZE)
    tensors = {
        key.replace(".mlp.fc1.", ".mlp.w12.").replace(".mlp.fc2.", ".mlp.w3."): value
        for key, value in chunked(trained.state_dict()).items()
    }
    load_backbone_weights(model, weights_file({"teacher": prefixed("backbone.", tensors)}, "t.pth"))
    assert_same_features(model, trained, *DINOV2_SIZE)


def test_registers_in_their_makers_names(source, blank, weights_file, assert_same_features):
    """Meta gives the class token a position; timm has added it to the token already."""
    name = "vit_small_patch14_reg4_dinov2"
    trained, model = source(name, DINOV2_SIZE), blank(name, DINOV2_SIZE)
    tensors = dict(trained.state_dict())
    position = torch.randn(1, 1, 48)
    tensors["register_tokens"] = tensors.pop("reg_token")
    tensors["cls_token"] = tensors["cls_token"] - position
    tensors["pos_embed"] = torch.cat([position, tensors["pos_embed"]], dim=1)
    load_backbone_weights(model, weights_file(tensors))
    assert_same_features(model, trained, *DINOV2_SIZE)


def test_registers_are_never_left_aside(source, blank, weights_file):
    """A backbone without registers computes something else."""
    from nnunet_vit.errors import ModelError

    tensors = {**source(DINOV2, DINOV2_SIZE).state_dict(), "register_tokens": torch.ones(1, 4, 48)}
    file = weights_file(tensors)
    with pytest.raises(ModelError, match=r"covered; unknown register_tokens\. Fix:"):
        load_backbone_weights(blank(DINOV2, DINOV2_SIZE), file)


def test_meddinov3(source, blank, weights_file, assert_same_features):
    """Checkpointed modules in the names, no bias in attention, and Meta's names."""
    name, size = "vit_base_patch16_dinov3", (32, 64)
    trained, model = source(name, size), blank(name, size)
    wrapper = "_checkpoint_wrapped_module."
    tensors = {"mask_token": torch.zeros(1, 48), "rope_embed.periods": torch.ones(6)}
    for key, value in trained.state_dict().items():
        key = key.replace("reg_token", "storage_tokens").replace("gamma_1", "ls1.gamma")
        key = re.sub(r"^(blocks\.\d+\.)", rf"\1{wrapper}", key.replace("gamma_2", "ls2.gamma"))
        tensors[key] = value
    file = weights_file({"teacher": prefixed("backbone.", tensors)}, "meddinov3.pth")
    coverage = load_backbone_weights(model, file)
    assert_same_features(model, trained, *size)
    assert coverage.skipped == ("mask_token", "rope_embed.periods")


@pytest.mark.parametrize("without", ["storage_tokens", "mask_token"])
def test_dinov3_is_known_without_its_usual_marks(source, blank, weights_file, without):
    """timm knows Meta's naming by the registers; a network without them has none."""
    name, size = "vit_small_plus_patch16_dinov3", (32, 64)
    settings = {"num_reg_tokens": 0} if without == "storage_tokens" else {}
    trained, model = source(name, size, **settings), blank(name, size, **settings)
    names = {"reg_token": "storage_tokens", "gamma_": "ls", "fc1_g": "w1", "fc1_x": "w2"}
    tensors = {}
    for key, value in trained.state_dict().items():
        key = re.sub(r"gamma_(\d)", r"ls\1.gamma", key).replace(".mlp.fc2.", ".mlp.w3.")
        for ours, theirs in names.items():
            key = key.replace(ours, theirs)
        tensors[key] = value
    assert load_backbone_weights(model, weights_file(tensors)).share == 1
    own = model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in trained.state_dict().items())


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "encoder.",
        "_orig_mod.",
        "teacher.backbone.",
        "model.module.encoder.",
        "_fsdp_wrapped_module.backbone._fsdp_wrapped_module.",
        "visual.trunk.",
    ],
)
def test_known_prefixes(source, blank, weights_file, assert_same_features, prefix):
    trained, model = source(VIT, SIZE), blank(VIT, SIZE)
    file = weights_file(prefixed(prefix, trained.state_dict()))
    coverage = load_backbone_weights(model, file)
    assert (coverage.share, coverage.skipped) == (1, ())
    assert_same_features(model, trained, *SIZE)


def test_other_parts_of_a_network_are_left_aside(source, blank, weights_file):
    tensors = prefixed("encoder.", source(VIT, SIZE).state_dict())
    tensors = {"module.neck.conv.weight": torch.zeros(3), **prefixed("module.", tensors)}
    coverage = load_backbone_weights(blank(VIT, SIZE), weights_file(tensors))
    assert (coverage.share, coverage.skipped) == (1, ("module.neck.conv.weight",))


@pytest.mark.parametrize("first", ["teacher", "student"])
@pytest.mark.parametrize("flat", [True, False])
def test_a_teacher_is_preferred_whatever_comes_first(source, blank, weights_file, first, flat):
    trained = {"teacher": source(VIT, SIZE).state_dict(), "student": blank(VIT, SIZE).state_dict()}
    order = sorted(trained, key=lambda name: name != first)
    content = {name: trained[name] for name in order}
    if flat:
        flattened = [prefixed(f"{name}.", content[name]) for name in order]
        content = {"state_dict": {**flattened[0], **flattened[1]}}
    model = blank(VIT, SIZE)
    load_backbone_weights(model, weights_file(content, "both.pth"))
    assert torch.equal(model.state_dict()["norm.bias"], trained["teacher"]["norm.bias"])


def test_a_student_is_taken_where_only_it_fits(source, blank, weights_file, assert_same_features):
    """A small network that was distilled from a large one; both have the same names."""
    large, small = source(VIT, SIZE, embed_dim=64), source(VIT, SIZE)
    content = {"teacher": large.state_dict(), "student": small.state_dict()}
    model = blank(VIT, SIZE)
    load_backbone_weights(model, weights_file(content, "distilled.pth"))
    assert_same_features(model, small, *SIZE)


def test_blocks_that_are_numbered_anew_in_each_chunk_are_refused(source, blank, weights_file):
    """Which block is which cannot be told by name, and nothing is guessed."""
    from nnunet_vit.errors import ModelError

    trained = source(DINOV2, DINOV2_SIZE).state_dict()
    tensors = {re.sub(r"^blocks\.(\d+)\.", r"blocks.\1.0.", n): v for n, v in trained.items()}
    with pytest.raises(ModelError, match=r"missing blocks\.1\..*; unknown blocks\.1\.0\."):
        load_backbone_weights(blank(DINOV2, DINOV2_SIZE), weights_file(tensors))


def test_parameters_in_place_of_tensors(source, blank, weights_file, assert_same_features):
    trained, model = source(VIT, SIZE), blank(VIT, (32, 96), 1)
    file = weights_file(dict(trained.named_parameters()), "parameters.pth")
    assert set(load_backbone_weights(model, file).resized) == {
        "pos_embed",
        "patch_embed.proj.weight",
    }
    assert all(parameter.is_leaf for parameter in model.parameters())


def test_deit3_in_its_makers_names(source, blank, weights_file, assert_same_features):
    name = "deit3_small_patch16_224"
    trained, model = source(name, SIZE), blank(name, SIZE)
    tensors = {
        re.sub(r"ls(\d)\.gamma", r"gamma_\1", key): value
        for key, value in trained.state_dict().items()
    }
    load_backbone_weights(model, weights_file({"model": tensors}, "deit3.pth"))
    assert_same_features(model, trained, *SIZE)


def as_openai_clip(tensors):
    names = {
        "patch_embed.proj": "conv1",
        "blocks.": "transformer.resblocks.",
        "norm_pre": "ln_pre",
        "attn.qkv.": "attn.in_proj_",
        "attn.proj": "attn.out_proj",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
    }
    made = {}
    for key, value in tensors.items():
        for ours, theirs in names.items():
            key = key.replace(ours, theirs)
        made["visual." + re.sub(r"norm(\d)", r"ln_\1", re.sub(r"^norm\.", "ln_post.", key))] = value
    made["visual.class_embedding"] = made.pop("visual.cls_token")[0, 0]
    made["visual.positional_embedding"] = made.pop("visual.pos_embed")[0]
    return {**made, "visual.proj": torch.zeros(48, 32), "logit_scale": torch.zeros(())}


@pytest.mark.parametrize("size", [(64, 64), (128, 32), (32, 96)])
def test_what_timm_can_translate(source, blank, weights_file, assert_same_features, size):
    """128 x 32 pixels have as many patches as 64 x 64: timm translates and does not resize."""
    name = "vit_base_patch16_clip_224"
    trained, model = source(name, SIZE), blank(name, size)
    square = FileGrid((4, 4))
    file = weights_file(as_openai_clip(trained.state_dict()))
    coverage = load_backbone_weights(model, file, grid=square)
    assert coverage.share == 1
    assert coverage.resized == (() if size == SIZE else ("pos_embed",))
    expected = blank(name, size)
    load_backbone_weights(expected, weights_file(trained.state_dict()), grid=square)
    assert_same_features(model, expected, *size)
