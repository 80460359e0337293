"""The mask2former head: stages, queries, gradients, options."""

import decoder_behaviour as decoders
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import NoiseMaps

pytestmark = pytest.mark.unit

HEAD = "mask2former"
OPTIONS = {"hidden_size": 32, "queries": 6, "feedforward_size": 64}


def loss_of(classes, **options):
    from nnunet_vit_mask2former import Mask2FormerOptions, create_loss

    return create_loss(classes, Mask2FormerOptions(**options), False, None)


@pytest.mark.parametrize("patch", [4, 8, 14, 16, 32])
def test_the_masks_have_a_quarter_of_the_patchs_stride(head_on, patch):
    stages = head_on(NoiseMaps(patch)).train()(torch.randn(2, 3, 3 * patch, 5 * patch))
    assert {tuple(stage["mask_logits"].shape) for stage in stages} == {(2, 6, 12, 20)}
    assert {tuple(stage["class_logits"].shape) for stage in stages} == {(2, 6, 3)}


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_a_stage_before_the_first_layer_and_one_after_each(build_head, layers):
    """The last one comes first, and it is what prediction shows."""
    from nnunet_vit.blocks.mask_classification import semantic_logits

    model = build_head(image_size=(32, 48), options={"decoder_layers": layers})
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        stages = model.train()(images)
        logits = model.eval()(images)
        first = model.query_decoder.queries.expand(2, -1, -1)
        classes = model.query_decoder.classifier(model.query_decoder.norm(first))
    assert len(stages) == layers + 1
    last = stages[0]
    expected = semantic_logits(last["class_logits"], last["mask_logits"], (32, 48))
    torch.testing.assert_close(logits, expected)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(stages[-1]["class_logits"], classes)


@pytest.mark.parametrize(("queries", "classes", "expected"), [(6, 3, 6), (6, 9, 9), (1, 1, 1)])
def test_each_class_has_a_query(head_on, queries, classes, expected):
    model = head_on(NoiseMaps(16), classes, queries=queries).train()
    assert model(torch.zeros(1, 3, 32, 32))[0]["class_logits"].shape == (1, expected, classes + 1)


def test_a_query_looks_inside_its_mask_and_anywhere_where_it_is_empty():
    from nnunet_vit_mask2former.query_decoder import attended_to

    masks = torch.full((1, 3, 4, 4), -1.0)
    masks[0, 0, :2, :2] = 1.0
    masks[0, 1, 1, 1] = 0.5  # one pixel: no cell of the coarse map is above 0
    level = torch.zeros(1, 8, 2, 2)
    inside = attended_to(masks, level).view(3, 2, 2)
    assert inside[0].tolist() == [[True, False], [False, False]]
    assert inside[1].all()
    assert inside[2].all()


def test_a_pixel_outside_the_mask_does_not_reach_the_query():
    from nnunet_vit_mask2former.query_decoder import QueryLayer

    torch.manual_seed(0)
    layer = QueryLayer(16, 4, 32, 0.0).eval()
    queries, positions = torch.randn(1, 2, 16), torch.randn(2, 16)
    values, places = torch.randn(1, 5, 16), torch.randn(5, 16)
    inside = torch.ones(1, 2, 5, dtype=torch.bool)
    inside[..., 3] = False
    with torch.no_grad():
        before = layer(queries, positions, values, places, inside)
        values[:, 3] += 10
        assert torch.equal(layer(queries, positions, values, places, inside), before)
        values[:, 2] += 10
        assert not torch.allclose(layer(queries, positions, values, places, inside), before)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("size", [(64, 96), (16, 16)])
def test_every_parameter_learns(build_head, layers, size):
    options = {"decoder_layers": layers, "encoder_layers": layers}
    model = build_head(image_size=size, options=options).train()
    for layer in model.pixel_decoder.layers:  # they start at 0 and stop gradients behind them
        nn.init.normal_(layer.attention.weights.weight)
        nn.init.normal_(layer.attention.offsets.weight, std=0.1)
    target = torch.randint(0, 3, (1, 1, *size)).float()
    idle, zero = decoders.unlearned(model, loss_of(3)(model(torch.randn(1, 3, *size)), target))
    assert idle == []
    assert zero == [] or size != (64, 96)


def test_dropout_is_for_training_and_off_by_default(build_head):
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        model = build_head(options={"dropout": 0.5}).train()
        assert not torch.equal(model(images)[0]["mask_logits"], model(images)[0]["mask_logits"])
        assert torch.equal(model.eval()(images), model(images))
        plain = build_head().train()
        assert torch.equal(plain(images)[0]["mask_logits"], plain(images)[0]["mask_logits"])


@pytest.mark.parametrize("hidden", [8, 24, 40, 256])
def test_any_allowed_width_on_an_image_of_one_patch(build_head, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = build_head(options={"hidden_size": hidden}).train()
    stages = model(torch.randn(1, 3, 16, 16))
    assert all(torch.isfinite(stage["mask_logits"]).all() for stage in stages)


def test_the_paper_has_32_groups():
    from nnunet_vit_mask2former.pixel_decoder import normalization

    groups = {channels: normalization(channels).num_groups for channels in (256, 512, 128, 8)}
    assert groups == {256: 32, 512: 32, 128: 16, 8: 1}


ALLOWED = (
    "class_weight, mask_weight, dice_weight, no_object_weight, loss_points, hidden_size, queries, "
    "encoder_layers, decoder_layers, heads, attention_points, feedforward_size, dropout"
)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        *decoders.beyond("queries", 1, 1000),
        decoders.misspelt("query", "queries", ALLOWED),
        decoders.DROPOUT_OF_1,
        ("hidden_size: 4", "hidden_size: given 4; allowed: an integer from 8 to 1024"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"


def test_a_width_that_does_not_fit_the_heads(option_error):
    """No single option is to blame: the line may be that of the section."""
    text = option_error("hidden_size: 100").removeprefix("run.yaml, line 3, ")
    assert text == (
        "model.decoder: given {'hidden_size': 100}; hidden_size 100 with 8 heads: "
        "hidden_size must be a multiple of 4 and of heads"
    )


def test_the_options_reach_the_loss():
    from nnunet_vit_mask2former import Mask2FormerOptions, create_loss

    given = {"class_weight": 1.0, "mask_weight": 2.0, "dice_weight": 3.0, "no_object_weight": 0.5}
    loss = create_loss(4, Mask2FormerOptions(loss_points=64, **given), True, 3)
    assert {name: getattr(loss, name) for name in given} == given
    assert (loss.points, loss.num_classes, loss.has_regions, loss.ignore_label) == (64, 4, True, 3)


def test_the_order_of_the_options():
    from nnunet_vit_mask2former import Mask2FormerOptions

    assert ", ".join(Mask2FormerOptions.model_fields) == ALLOWED


@pytest.mark.parametrize("depth", decoders.QUARTERS)
def test_the_levels_end_with_the_last_block(head_on, depth):
    model = head_on(NoiseMaps(16, depth)).eval()
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 2, 32, 32)
    assert model.backbone.layers == decoders.QUARTERS[depth]


def test_an_image_does_not_change_its_neighbour_in_the_batch(build_head):
    # beside two neighbours, not alone: a batch of one has other roundings, by processor, and they
    # decide where a mask's attention ends
    model, (image, one, other) = build_head().eval(), torch.randn(3, 3, 32, 48)
    with torch.no_grad():
        beside_one = model(torch.stack([image, one]))[0]
        beside_other = model(torch.stack([image, other]))[0]
    torch.testing.assert_close(beside_one, beside_other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_lower_precision_is_finite(build_head, precision):
    (logits,) = decoders.in_precision(build_head(), 100 * torch.randn(1, 3, 48, 32), precision)
    assert torch.isfinite(logits).all()
    assert logits.abs().max() < 100
