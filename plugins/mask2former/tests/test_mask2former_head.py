"""The mask2former head: shapes, stages, queries, gradients, options."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit


class Random(nn.Module):
    """A backbone of any patch and depth that remembers which blocks it was asked for."""

    embed_dim = 8

    def __init__(self, patch_size, depth=2):
        super().__init__()
        self.patch_size, self.depth = patch_size, depth

    def feature_maps(self, images, layers):
        self.layers = list(layers)
        rows, columns = (edge // self.patch_size for edge in images.shape[-2:])
        return [torch.randn(len(images), 8, rows, columns) for _ in layers]


def loss_of(classes, **options):
    from nnunet_vit_mask2former import Mask2FormerOptions, create_loss

    return create_loss(classes, Mask2FormerOptions(**options), False, None)


@pytest.mark.parametrize(
    ("backbone", "size", "batch", "channels"),
    [
        ("timm:test_vit", (32, 48), 1, 1),
        ("timm:test_vit", (80, 16), 3, 4),
        ("timm:eva02_tiny_patch14_224", (28, 42), 1, 3),
    ],
)
def test_shapes(mask2former, backbone, size, batch, channels):
    model = mask2former(backbone, classes=5, in_channels=channels, image_size=size).eval()
    with torch.no_grad():
        logits = model(torch.randn(batch, channels, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()
    assert logits.dtype == torch.float32


@pytest.mark.parametrize("patch", [4, 8, 14, 16, 32])
def test_the_masks_have_a_quarter_of_the_patchs_stride(mask2former_on, patch):
    stages = mask2former_on(Random(patch)).train()(torch.randn(2, 3, 3 * patch, 5 * patch))
    assert {tuple(stage["mask_logits"].shape) for stage in stages} == {(2, 6, 12, 20)}
    assert {tuple(stage["class_logits"].shape) for stage in stages} == {(2, 6, 3)}


@pytest.mark.parametrize(
    ("depth", "layers"),
    [(24, [5, 11, 17, 23]), (12, [2, 5, 8, 11]), (3, [0, 0, 1, 2]), (1, [0, 0, 0, 0])],
)
def test_the_levels_end_with_the_last_block(mask2former_on, depth, layers):
    model = mask2former_on(Random(16, depth)).eval()
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 2, 32, 32)
    assert model.backbone.layers == layers


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_a_stage_before_the_first_layer_and_one_after_each(mask2former, layers):
    """The last one comes first, and it is what prediction shows."""
    from nnunet_vit.blocks.mask_classification import semantic_logits

    model = mask2former(image_size=(32, 48), options={"decoder_layers": layers})
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
    torch.testing.assert_close(stages[-1]["class_logits"], classes)


@pytest.mark.parametrize(("queries", "classes", "expected"), [(6, 3, 6), (6, 9, 9), (1, 1, 1)])
def test_each_class_has_a_query(mask2former_on, queries, classes, expected):
    model = mask2former_on(Random(16), classes=classes, queries=queries).train()
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
def test_every_parameter_learns(mask2former, layers, size):
    options = {"decoder_layers": layers, "encoder_layers": layers}
    model = mask2former(image_size=size, options=options).train()
    for layer in model.pixel_decoder.layers:  # they start at 0 and stop gradients behind them
        nn.init.normal_(layer.attention.weights.weight)
        nn.init.normal_(layer.attention.offsets.weight, std=0.1)
    target = torch.randint(0, 3, (1, 1, *size)).float()
    loss_of(3)(model(torch.randn(1, 3, *size)), target).backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    assert idle == []
    if size == (64, 96):
        zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
        assert zero == []


def test_an_image_does_not_change_its_neighbour_in_the_batch(mask2former):
    model = mask2former().eval()
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        torch.testing.assert_close(model(images)[:1], model(images[:1]), atol=1e-4, rtol=1e-4)


def test_dropout_is_for_training_and_off_by_default(mask2former):
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        model = mask2former(options={"dropout": 0.5}).train()
        assert not torch.equal(model(images)[0]["mask_logits"], model(images)[0]["mask_logits"])
        assert torch.equal(model.eval()(images), model(images))
        plain = mask2former().train()
        assert torch.equal(plain(images)[0]["mask_logits"], plain(images)[0]["mask_logits"])


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16])
def test_lower_precision_is_finite(mask2former, precision):
    model = mask2former().eval()
    with torch.no_grad(), torch.autocast("cpu", precision):
        logits = model(100 * torch.randn(1, 3, 48, 32))
    assert torch.isfinite(logits).all()
    assert logits.abs().max() < 100


@pytest.mark.parametrize("hidden", [8, 24, 40, 256])
def test_any_allowed_width_on_an_image_of_one_patch(mask2former, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = mask2former(options={"hidden_size": hidden}).train()
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
        (
            "hidden_size: 4",
            "model.decoder.hidden_size: given 4; allowed: a whole number from 8 to 1024",
        ),
        ("queries: 0", "model.decoder.queries: given 0; allowed: a whole number from 1 to 1000"),
        (
            "dropout: 1",
            "model.decoder.dropout: given 1; allowed: a number of at least 0 and less than 1",
        ),
        (
            "query: 5",
            "model.decoder.query: unknown key, given 'query'. Did you mean 'queries'? "
            f"Allowed: {ALLOWED}",
        ),
        (
            "hidden_size: 100",
            "model.decoder: given {'hidden_size': 100}; hidden_size 100 with 8 heads: "
            "hidden_size must be a multiple of 4 and of heads",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: mask2former\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    where, _, rest = str(caught.value).partition("model.decoder")
    assert where in ("run.yaml, line 3, ", "run.yaml, line 4, ")
    assert f"model.decoder{rest}" == text


def test_the_options_reach_the_loss():
    from nnunet_vit_mask2former import Mask2FormerOptions, create_loss

    given = {"class_weight": 1.0, "mask_weight": 2.0, "dice_weight": 3.0, "no_object_weight": 0.5}
    loss = create_loss(4, Mask2FormerOptions(loss_points=64, **given), True, 3)
    assert {name: getattr(loss, name) for name in given} == given
    assert (loss.points, loss.num_classes, loss.has_regions, loss.ignore_label) == (64, 4, True, 3)


def test_the_options_are_described():
    from nnunet_vit_mask2former import Mask2FormerOptions

    assert all(field.description for field in Mask2FormerOptions.model_fields.values())
    assert ", ".join(Mask2FormerOptions.model_fields) == ALLOWED
