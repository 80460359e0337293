"""The dpt head: shapes, strides, gradients, deep supervision, options."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit


class Random(nn.Module):
    """A backbone of any patch and depth that remembers which blocks it was asked for."""

    embed_dim, prefix_tokens = 6, 0

    def __init__(self, patch_size, depth=2):
        super().__init__()
        self.patch_size, self.depth = patch_size, depth

    def feature_maps(self, images, layers):
        self.layers = list(layers)
        rows, columns = (edge // self.patch_size for edge in images.shape[-2:])
        return [torch.randn(len(images), 6, rows, columns) for _ in layers]


@pytest.mark.parametrize(
    ("backbone", "size", "batch", "channels"),
    [
        ("timm:test_vit", (32, 48), 1, 1),
        ("timm:test_vit", (80, 16), 3, 4),
        ("timm:eva02_tiny_patch14_224", (28, 56), 1, 3),
        ("timm:eva02_tiny_patch14_224", (70, 14), 2, 2),
    ],
)
def test_shapes(dpt, backbone, size, batch, channels):
    model = dpt(backbone, classes=5, in_channels=channels, image_size=size)
    logits = model(torch.randn(batch, channels, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("patch", [8, 14, 16, 32])
def test_tokens_become_maps_of_four_strides(dpt_on, patch):
    model = dpt_on(Random(patch), hidden_size=16)
    images = torch.randn(2, 3, 4 * patch, 5 * patch)
    levels = [(torch.randn(2, 6, 4, 5), torch.randn(2, 6))] * 4
    maps = model.decoder.reassembly(levels)
    assert [level.shape[-2:] for level in maps] == [(16, 20), (8, 10), (4, 5), (2, 3)]
    fused = model.decoder(levels)
    assert [level.shape[-2:] for level in fused] == [(4, 6), (8, 12), (16, 24), (32, 48)]
    assert model(images).shape == (2, 2, 4 * patch, 5 * patch)


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
    dpt_on, small_vit, name, settings, prefix, readout
):
    backbone, size = small_vit(name, settings)
    assert backbone.prefix_tokens == prefix
    model = dpt_on(backbone, hidden_size=8, readout=readout)
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
def test_what_the_class_token_changes(dpt, readout):
    """A readout that uses it follows it; one that ignores it does not."""
    from nnunet_vit_dpt.tokens import levels_of

    model = dpt(options={"readout": readout}).eval()
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        levels = levels_of(model.backbone, images, model.layers, with_summary=True)
        before = model.decoder(levels)[-1]
        after = model.decoder([(features, summary + 1) for features, summary in levels])[-1]
    assert torch.equal(before, after) == (readout == "ignore")


def test_no_weight_is_saved_twice(dpt):
    model = dpt()
    assert len(model.state_dict()) == len(list(model.named_parameters()))


@pytest.mark.parametrize(
    ("depth", "layers"),
    [
        (24, [5, 11, 17, 23]),
        (12, [2, 5, 8, 11]),
        (6, [0, 2, 3, 5]),
        (3, [0, 0, 1, 2]),
        (1, [0, 0, 0, 0]),
    ],
)
def test_the_levels_end_with_the_last_block(dpt_on, depth, layers):
    model = dpt_on(Random(16, depth), hidden_size=16)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 2, 32, 32)
    assert model.backbone.layers == layers


@pytest.mark.parametrize("hidden", [8, 12, 17, 68])
def test_any_allowed_width_on_an_image_of_one_patch(dpt, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = dpt(decoder_hidden_size=hidden, deep_supervision=True).train()
    logits = model(torch.randn(1, 3, 16, 16))
    assert [level.shape[-1] for level in logits] == [16, 8, 4, 2]
    assert all(torch.isfinite(level).all() for level in logits)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("levels", [1, 4])
def test_every_parameter_learns(dpt, batch, levels):
    """With deep supervision and where the coarser levels are dropped."""
    model = dpt(image_size=(64, 96), options={"dropout": 0}, deep_supervision=True).train()
    outputs = model(torch.randn(batch, 3, 64, 96))[:levels]
    sum(level.square().mean() for level in outputs).backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


def test_deep_supervision_is_finest_first_and_changes_no_parameter(dpt):
    deep = dpt(image_size=(64, 96), deep_supervision=True).eval()
    plain = dpt(image_size=(64, 96)).eval()
    assert deep.state_dict().keys() == plain.state_dict().keys()
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        levels = deep(images)
        assert torch.equal(levels[0], plain(images))
    assert [tuple(level.shape) for level in levels] == [
        (2, 3, 64, 96),
        (2, 3, 16, 24),
        (2, 3, 8, 12),
        (2, 3, 4, 6),
    ]


def test_levels_of_small_patches_stay_below_the_image(dpt_on):
    model = dpt_on(Random(4), deep_supervision=True, readout="ignore", hidden_size=8)
    levels = model(torch.zeros(1, 3, 12, 16))
    assert [tuple(level.shape[-2:]) for level in levels] == [(12, 16), (8, 8), (4, 4)]


def test_a_few_steps_lower_the_loss(dpt):
    model = dpt(image_size=(32, 48), options={"dropout": 0}).train()
    images, truth = torch.randn(2, 3, 32, 48), torch.randint(0, 3, (2, 32, 48))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(model(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_an_image_does_not_change_its_neighbour_in_the_batch(dpt):
    model = dpt().train()
    model.classifier[3].p = 0
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


def test_dropout_is_for_training(dpt):
    model = dpt(options={"dropout": 0.5})
    images = torch.randn(1, 3, 32, 48)
    assert not torch.equal(model.train()(images), model(images))
    assert torch.equal(model.eval()(images), model(images))
    assert dpt().classifier[3].p == 0.1


def test_half_precision_is_finite(dpt):
    model = dpt(deep_supervision=True).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.float16):
        levels = model(100 * torch.randn(1, 3, 48, 32))
    assert all(torch.isfinite(level).all() for level in levels)


def test_a_saved_state_gives_the_same_logits(dpt, tmp_path):
    model = dpt().eval()
    torch.save(model.state_dict(), tmp_path / "state.pt")
    torch.manual_seed(9)
    other = dpt().eval()
    for value in other.parameters():
        nn.init.normal_(value)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    images = torch.randn(1, 3, 32, 48)
    with torch.no_grad():
        assert torch.equal(model(images), other(images))


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hidden_size: 7", "hidden_size: given 7; allowed: a whole number from 8 to 2048"),
        ("hidden_size: 2049", "hidden_size: given 2049; allowed: a whole number from 8 to 2048"),
        ("readout: cls", "readout: given 'cls'; allowed: 'project' or 'add' or 'ignore'"),
        ("dropout: 1", "dropout: given 1; allowed: a number of at least 0 and less than 1"),
        (
            "hiden_size: 64",
            "hiden_size: unknown key, given 'hiden_size'. Did you mean 'hidden_size'? "
            "Allowed: hidden_size, readout, dropout",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: dpt\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_dpt import DptOptions

    assert all(field.description for field in DptOptions.model_fields.values())
    assert (DptOptions().hidden_size, DptOptions().dropout) == (256, 0.1)
