"""With transformers' weights the head computes what transformers' EoMT computes, masks and all."""

import pytest
import timm
import torch
from oracle_weights import named_as_ours as our_name
from torch import nn

from nnunet_vit.modeling.backbone import ViTBackbone

pytestmark = pytest.mark.unit

HEAD = "eomt"
WIDTH, HEADS, QUERIES, CLASSES = 32, 4, 7, 5
NAMES = (
    (r"^embeddings\.cls_token", "backbone.model.cls_token"),
    (r"^embeddings\.register_tokens", "backbone.model.reg_token"),
    (r"^embeddings\.patch_embeddings\.projection", "backbone.model.patch_embed.proj"),
    (r"^embeddings\.position_embeddings\.weight", "backbone.model.pos_embed"),
    (r"^layernorm\.", "backbone.model.norm."),
    (r"^layers\.", "backbone.model.blocks."),
    (r"layer_scale(\d)\.lambda1", r"ls\1.gamma"),
    (r"attention\.out_proj", "attn.proj"),
    (r"attention\.([qkv])_proj", r"attn.\1"),
    (r"^query\.weight", "queries"),
    (r"^upscale_block\.block\.", "prediction.upscaling."),
    (r"^mask_head\.fc1\.", "prediction.mask_embedding.0."),
    (r"^mask_head\.fc2\.", "prediction.mask_embedding.2."),
    (r"^mask_head\.fc3\.", "prediction.mask_embedding.4."),
    (r"\.conv1\.", ".0."),
    (r"\.conv2\.", ".2."),
    (r"\.layernorm2d\.", ".3."),
    (r"^class_predictor\.", "prediction.classifier."),
    (r"^attn_mask_probs$", "masking"),
)


def named_as_ours(theirs):
    """Return their weights by our names; theirs keep the loss's weights, ours join q, k and v."""
    ours = {}
    for name, value in theirs.items():
        if name.startswith("criterion."):
            continue
        name = our_name(name, NAMES)
        ours[name] = value[None] if name.endswith(("pos_embed", "queries")) else value
    for name in [name for name in ours if ".attn.q." in name]:
        parts = [ours.pop(name.replace(".attn.q.", f".attn.{part}.")) for part in "qkv"]
        ours[name.replace(".attn.q.", ".attn.qkv.")] = torch.cat(parts)
    return ours


def randomized(module):
    """Give numbers to biases and scales too, and matrices that keep the scale."""
    for name, value in module.named_parameters():
        if value.dim() > 1 and not name.startswith(("embeddings", "query")):
            nn.init.normal_(value, std=value[0].numel() ** -0.5)
        elif value.dim() == 1 and name.endswith(("weight", "lambda1")):
            nn.init.uniform_(value, 0.5, 1.5)
        else:
            nn.init.normal_(value, std=0.3)


@pytest.fixture
def pair(head_on):
    """`pair(patch, depth, query_blocks, registers)`: theirs, ours with its weights, images."""

    def build(patch=14, depth=5, query_blocks=3, registers=4):
        transformers = pytest.importorskip("transformers", reason="transformers is not installed")
        torch.manual_seed(0)
        settings = {"hidden_size": WIDTH, "num_attention_heads": HEADS, "num_queries": QUERIES}
        config = transformers.EomtConfig(
            **settings,
            num_hidden_layers=depth,
            num_blocks=query_blocks,
            num_register_tokens=registers,
            image_size=5 * patch,
            patch_size=patch,
            num_labels=CLASSES,
        )
        theirs = transformers.EomtForUniversalSegmentation(config).eval()
        randomized(theirs)
        vit = timm.create_model(
            "vit_small_patch14_reg4_dinov2",
            num_classes=0,
            img_size=5 * patch,
            patch_size=patch,
            embed_dim=WIDTH,
            num_heads=HEADS,
            depth=depth,
            reg_tokens=registers,
        )
        ours = head_on(ViTBackbone(vit), CLASSES, queries=QUERIES, query_blocks=query_blocks).eval()
        return theirs, ours, torch.randn(2, 3, 5 * patch, 5 * patch)

    return build


def stages_of(theirs, images):
    """Return what they predict, the last first, as our stages."""
    found, predict = [], theirs.predict

    def noted(tokens):
        masks, classes = predict(tokens)
        found.insert(0, {"class_logits": classes, "mask_logits": masks})
        return masks, classes

    theirs.predict = noted
    with torch.no_grad():
        output = theirs(images)
    theirs.predict = predict
    assert torch.equal(output.masks_queries_logits, found[0]["mask_logits"])
    return found


def assert_alike(theirs, ours, images):
    """Compare each stage after loading their weights into ours; return the stages."""
    ours.load_state_dict(named_as_ours(theirs.state_dict()))
    expected = stages_of(theirs, images)
    with torch.no_grad():
        stages = ours.stages(images)
    assert len(stages) == len(expected)
    for stage, wanted in zip(stages, expected, strict=True):
        assert stage.keys() == wanted.keys()
        for name, value in stage.items():
            assert value.shape == wanted[name].shape
            assert (value - wanted[name]).abs().max() <= 1e-5 * wanted[name].abs().max()
            assert wanted[name].isfinite().all()
    return stages


@pytest.mark.parametrize(
    ("patch", "depth", "query_blocks", "registers"),
    [(14, 5, 3, 4), (16, 5, 4, 4), (16, 3, 3, 2), (16, 2, 1, 1)],
)
def test_each_stage_with_masks(pair, patch, depth, query_blocks, registers):
    theirs, ours, images = pair(patch, depth, query_blocks, registers)
    stages = assert_alike(theirs, ours, images)
    assert len(stages) == query_blocks + 1
    held = [(stage["mask_logits"] > 0).float().mean().item() for stage in stages]
    assert all(0.05 < share < 0.95 for share in held), held


@pytest.mark.parametrize("patch", [14, 16])
def test_without_masks(pair, patch):
    theirs, ours, images = pair(patch)
    with_masks = assert_alike(theirs, ours, images)
    theirs.attn_mask_probs.zero_()
    (last,) = assert_alike(theirs, ours, images)
    for name, value in last.items():
        assert (value - with_masks[0][name]).abs().max() > 1e-2 * value.abs().max()


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_each_stage_in_training(pair, probability):
    """There queries are drawn, but at these probabilities all alike."""
    theirs, ours, images = pair()
    theirs.attn_mask_probs.fill_(probability)
    assert len(assert_alike(theirs.train(), ours.train(), images)) == 4


def test_masks_in_the_last_blocks_alone(pair):
    theirs, ours, images = pair()
    theirs.attn_mask_probs.copy_(torch.tensor([0.0, 0.0, 1.0]))
    assert len(assert_alike(theirs, ours, images)) == 2


def test_empty_masks(pair):
    theirs, ours, images = pair()
    with torch.no_grad():
        theirs.mask_head.fc3.weight.zero_()
        theirs.mask_head.fc3.bias.fill_(-1.0)
        theirs.upscale_block.block[-1].layernorm2d.weight.fill_(0.01)
        theirs.upscale_block.block[-1].layernorm2d.bias.fill_(1.0)
    stages = assert_alike(theirs, ours, images)
    assert all(stage["mask_logits"].max() < 0 for stage in stages)
