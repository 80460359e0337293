"""The eomt head: stages, masks in the attention, their annealing, options."""

import pytest
import torch
from torch import nn

from nnunet_vit_eomt import EomtOptions, create_loss
from nnunet_vit_eomt.annealing import Annealing
from nnunet_vit_eomt.prediction import upsamplings_to

pytestmark = pytest.mark.unit

HEAD = "eomt"
PREFIX, PATCHES, QUERIES = 1, 6, 16  # of test_vit with images of (32, 48)


@pytest.fixture
def masks_of():
    """`masks_of(model)`: the attention masks that the backbone is given, one for each block."""

    def find(model, images):
        given, run_blocks = [], model.backbone.run_blocks

        def noted(tokens, start, stop, attention_mask=None):
            given.extend([attention_mask] * (stop - start))
            return run_blocks(tokens, start, stop, attention_mask)

        model.backbone.run_blocks = noted
        with torch.no_grad():
            model(images)
        del model.backbone.run_blocks
        return given

    return find


def counted(model):
    """Return a list that grows with each prediction of classes and masks."""
    calls = []
    model.prediction.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_the_stages_of_training_begin_with_the_last(build_head):
    model = build_head(options={"query_blocks": 2}).train()
    stages = model(torch.randn(2, 3, 32, 48))
    assert len(stages) == 3
    for stage in stages:
        assert stage["class_logits"].shape == (2, QUERIES, 4)
        assert stage["mask_logits"].shape == (2, QUERIES, 8, 12)
    model.anneal(0.999)
    (last,) = model.eval().stages(torch.randn(2, 3, 32, 48))
    assert last["class_logits"].shape == (2, QUERIES, 4)


def test_the_logits_are_those_of_the_last_stage(build_head):
    from nnunet_vit.blocks.mask_classification import semantic_logits

    model, images = build_head().eval(), torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        last = model.stages(images)[0]
        expected = semantic_logits(last["class_logits"], last["mask_logits"], (32, 48))
        assert torch.equal(model(images), expected)


def test_queries_see_what_their_masks_hold_and_others_see_all(build_head, masks_of):
    model, images = build_head().eval(), torch.randn(2, 3, 32, 48)
    masks = masks_of(model, images)
    assert len(masks) == 6 and masks[0] is None and masks[1] is None
    with torch.no_grad():
        stages = model.stages(images)
    size, end = PREFIX + PATCHES + QUERIES, PREFIX + PATCHES
    for mask, stage in zip(masks[2:], reversed(stages[1:]), strict=True):
        assert mask.shape == (2, size, size) and mask.dtype == torch.bool
        assert mask[:, :end].all() and mask[..., :PREFIX].all() and mask[..., end:].all()
        held = nn.functional.interpolate(stage["mask_logits"], (2, 3), mode="bilinear") > 0
        assert torch.equal(mask[:, end:, PREFIX:end], held.flatten(2))
        assert 0.05 < held.float().mean() < 0.95


def test_a_query_does_not_see_patches_outside_of_its_mask(build_head):
    """Before its mask is drawn again: with one query block, whatever the last prediction says."""
    model = build_head(options={"query_blocks": 1}).eval()
    backbone, images = model.backbone, torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        tokens = backbone.run_blocks(backbone.embed(images), 0, 5).with_added(model.queries)
        held = nn.functional.interpolate(
            model._predict(tokens)["mask_logits"], (2, 3), mode="bilinear"
        )[0].flatten(1)
        mask = model._attention_mask(tokens, model._predict(tokens)["mask_logits"], 0)
        query = int((held > 0).sum(dim=1).clamp(max=5).argmax())
        outside = int((held[query] <= 0).nonzero()[0])
        inside = int((held[query] > 0).nonzero()[0])
        before = backbone.run_blocks(tokens, 5, 6, mask).added[0, query]
        moved = []
        for patch in (outside, inside):
            maps = tokens.maps.clone().flatten(2)
            maps[..., patch] += 1.0 * torch.randn(maps.shape[1])
            changed = tokens.with_maps(maps.unflatten(2, (2, 3)))
            after = backbone.run_blocks(changed, 5, 6, mask).added[0, query]
            moved.append((after - before).abs().max().item())
    assert moved[0] == 0 and moved[1] > 1e-4


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_queries_are_freed_at_random_in_training(build_head, masks_of, probability):
    model = build_head(options={"queries": 500}).train()
    nn.init.zeros_(model.prediction.mask_embedding[-1].weight)
    nn.init.zeros_(model.prediction.mask_embedding[-1].bias)  # every mask is empty
    model.masking.fill_(probability)
    model.follow([max(probability, 0.01)] * 4)
    torch.manual_seed(0)
    for mask in masks_of(model, torch.randn(4, 3, 32, 48))[2:]:
        rows = mask[:, PREFIX + PATCHES :, PREFIX : PREFIX + PATCHES]
        free = rows.all(dim=2)
        assert torch.equal(free, rows.any(dim=2))
        assert 1 - free.float().mean().item() == pytest.approx(probability, abs=0.05)


def test_prediction_masks_where_that_is_likelier(build_head, masks_of):
    model, images = build_head().eval(), torch.randn(1, 3, 32, 48)
    calls = counted(model)
    for probabilities, masked in [
        ([1.0, 1.0, 1.0, 1.0], [True] * 4),
        ([0.0, 0.49, 0.5, 1.0], [False, False, True, True]),
        ([0.0, 0.0, 0.0, 0.0], [False] * 4),
    ]:
        model.load_state_dict(model.state_dict() | {"masking": torch.tensor(probabilities)})
        calls.clear()
        given = masks_of(model, images)
        assert [mask is not None for mask in given] == [False, False, *masked]
        assert len(calls) == 1 + sum(masked)
        with torch.no_grad():
            assert torch.equal(model(images), model(images))


def test_a_training_without_masks_has_none(build_head, masks_of):
    options = {"annealing_start": 0.0, "annealing_length": 0.0}
    model = build_head(options=options)
    assert masks_of(model.train(), torch.randn(1, 3, 32, 48)) == [None] * 6
    assert len(model(torch.randn(1, 3, 32, 48))) == 5


def test_the_masking_is_saved(build_head):
    model, other = build_head().eval(), build_head().eval()
    images = torch.randn(1, 3, 32, 48)
    model.anneal(0.9)
    with torch.no_grad():
        assert not torch.allclose(model(images), other(images))
        whole = nn.ModuleDict({"head": other})  # as nnU-Net's network holds it
        whole.load_state_dict({f"head.{name}": v for name, v in model.state_dict().items()})
        assert torch.equal(model(images), other(images))
    assert other.masking.tolist() == [0.0] * 4


def test_the_trainer_anneals_through_the_hook(build_head):
    from nnunet_vit.config.models import ViTnnUNetConfig
    from nnunet_vit.modeling.head import Head

    run = ViTnnUNetConfig.model_validate({"model": {"head": "eomt", "backbone": "timm:test_vit"}})
    model = build_head()
    head = Head(run)
    head.on_training_step(model, 0.5)
    expected = Annealing(0.15, 0.7).probabilities(0.5, 4)
    assert model.masking.tolist() == pytest.approx(expected)
    assert model.masked == (False, False, True, True) and model.any_masked
    head.on_training_step(model, 0.999)
    assert model.masking.tolist() == [0.0] * 4 and not model.any_masked
    head.on_training_step(model, 0.0)
    assert model.masking.tolist() == [1.0] * 4 and model.masked == (True,) * 4


@pytest.mark.parametrize(
    ("start", "length", "progress", "expected"),
    [
        (0.2, 0.6, 0.0, [1, 1, 1]),
        (0.2, 0.6, 0.2, [1, 1, 1]),
        (0.2, 0.6, 0.3, [0.5**0.9, 1, 1]),
        (0.2, 0.6, 0.55, [0, 0.25**0.9, 1]),
        (0.2, 0.6, 0.81, [0, 0, 0]),
        (0.0, 0.0, 0.0, [0, 0, 0]),
        (0.5, 0.0, 0.49, [1, 1, 1]),
        (0.5, 0.0, 0.5, [0, 0, 0]),
        (1.0, 0.7, 0.999, [1, 1, 1]),
    ],
)
def test_probabilities_fall_block_after_block(start, length, progress, expected):
    found = Annealing(start, length).probabilities(progress, 3)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "blocks", "stages"),
    [({"query_blocks": 1}, 1, 2), ({"query_blocks": 6}, 6, 7), ({"query_blocks": 100}, 6, 7)],
)
def test_query_blocks_are_at_most_the_depth(build_head, options, blocks, stages):
    model = build_head(options=options).train()
    assert model.query_blocks == blocks == len(model.masking)
    assert len(model(torch.randn(1, 3, 32, 48))) == stages


@pytest.mark.parametrize(
    ("patch", "stride", "upsamplings"),
    [(8, 4, 1), (14, 4, 2), (16, 4, 2), (32, 4, 3), (16, 8, 1), (16, 2, 3), (14, 2, 3), (4, 8, 0)],
)
def test_doublings(patch, stride, upsamplings):
    assert upsamplings_to(stride, patch) == upsamplings


@pytest.mark.parametrize(
    ("given", "classes", "queries"),
    [
        (None, 1, 16), (None, 4, 16), (None, 10, 40), (None, 50, 100), (None, 150, 150),
        (7, 50, 50), (7, 3, 7),
    ],
)  # fmt: skip
def test_the_number_of_queries(given, classes, queries):
    assert EomtOptions(queries=given).queries_for(classes) == queries


@pytest.mark.parametrize("method", ["frozen", "full"])
def test_gradients_pass_the_blocks_to_the_queries(build_head, method):
    model = build_head(freeze_backbone=method == "frozen").train()
    # of the masks alone: the class of a query reaches it without passing a block, too
    model(torch.randn(1, 3, 32, 48))[0]["mask_logits"].square().mean().backward()
    assert model.queries.grad.abs().max() > 0
    trained = [value.grad is not None for value in model.backbone.model.blocks.parameters()]
    assert trained == [method == "full"] * len(trained)


def test_the_loss_has_the_options():
    options = EomtOptions(class_weight=1.0, mask_weight=3.0, dice_weight=4.0, loss_points=99)
    loss = create_loss(3, options, True, 3)
    found = (loss.class_weight, loss.mask_weight, loss.dice_weight, loss.no_object_weight)
    assert found == (1.0, 3.0, 4.0, 0.1)
    assert (loss.num_classes, loss.has_regions, loss.ignore_label, loss.points) == (3, True, 3, 99)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("queries: 0", "queries: given 0; allowed: an integer from 1 to 1000, or null"),
        ("mask_stride: 3", "mask_stride: given 3; allowed: 2, 4, or 8"),
        ("annealing_start: 2", "annealing_start: given 2; allowed: a number from 0 to 1"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"
