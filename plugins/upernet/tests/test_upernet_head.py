"""The upernet head: shapes, strides, gradients, deep supervision, options."""

from pathlib import Path

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit


class Random(nn.Module):
    """A backbone of any patch and depth that remembers which blocks it was asked for."""

    embed_dim = 6

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
def test_shapes(upernet, backbone, size, batch, channels):
    model = upernet(backbone, classes=5, in_channels=channels, image_size=size)
    logits = model(torch.randn(batch, channels, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("patch", [8, 14, 16, 32])
def test_the_pyramid_has_four_strides(upernet_on, patch):
    model = upernet_on(Random(patch), hidden_size=16)
    images = torch.randn(2, 3, 4 * patch, 5 * patch)
    levels = model.pyramid(model.backbone.feature_maps(images, range(4)))
    assert [level.shape[-2:] for level in levels] == [(16, 20), (8, 10), (4, 5), (2, 3)]
    assert [level.shape[1] for level in levels] == model.pyramid.widths == [16, 16, 6, 6]
    assert model(images).shape == (2, 2, 4 * patch, 5 * patch)


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
def test_the_levels_end_with_the_last_block(upernet_on, depth, layers):
    model = upernet_on(Random(16, depth), hidden_size=16)
    assert model(torch.zeros(1, 3, 32, 32)).shape == (1, 2, 32, 32)
    assert model.backbone.layers == layers


@pytest.mark.parametrize("hidden", [8, 12, 17, 68])
def test_any_allowed_width_on_an_image_of_one_patch(upernet, hidden):
    """Also in training, where one value per channel is all that some maps have."""
    model = upernet(decoder_hidden_size=hidden, deep_supervision=True).train()
    logits = model(torch.randn(1, 3, 16, 16))
    assert [level.shape[-1] for level in logits] == [16, 2, 1, 1]
    assert all(torch.isfinite(level).all() for level in logits)


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("levels", [1, 4])
def test_every_parameter_learns(upernet, batch, levels):
    """With deep supervision and where the coarser levels are dropped."""
    model = upernet(image_size=(64, 96), options={"dropout": 0}, deep_supervision=True).train()
    outputs = model(torch.randn(batch, 3, 64, 96))[:levels]
    sum(level.square().mean() for level in outputs).backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


def test_deep_supervision_is_finest_first_and_changes_no_parameter(upernet):
    deep = upernet(image_size=(64, 96), deep_supervision=True).eval()
    plain = upernet(image_size=(64, 96)).eval()
    assert deep.state_dict().keys() == plain.state_dict().keys()
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        levels = deep(images)
        assert torch.equal(levels[0], plain(images))
    assert [tuple(level.shape) for level in levels] == [
        (2, 3, 64, 96),
        (2, 3, 8, 12),
        (2, 3, 4, 6),
        (2, 3, 2, 3),
    ]


def test_a_few_steps_lower_the_loss(upernet):
    model = upernet(image_size=(32, 48), options={"dropout": 0}).train()
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


def test_an_image_does_not_change_its_neighbour_in_the_batch(upernet):
    model = upernet().train()
    model.dropout.p = 0
    images = torch.randn(2, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(model(images)[:1], model(images[:1]), atol=1e-5)


def test_dropout_is_for_training(upernet):
    model = upernet(options={"dropout": 0.5})
    images = torch.randn(1, 3, 32, 48)
    assert not torch.equal(model.train()(images), model(images))
    assert torch.equal(model.eval()(images), model(images))
    assert upernet().dropout.p == 0.1


def test_half_precision_is_finite(upernet):
    model = upernet(deep_supervision=True).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.float16):
        levels = model(100 * torch.randn(1, 3, 48, 32))
    assert all(torch.isfinite(level).all() for level in levels)


def test_a_saved_state_gives_the_same_logits(upernet, tmp_path):
    model = upernet().eval()
    torch.save(model.state_dict(), tmp_path / "state.pt")
    torch.manual_seed(9)
    other = upernet().eval()
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
        ("dropout: 1", "dropout: given 1; allowed: a number of at least 0 and less than 1"),
        (
            "hiden_size: 64",
            "hiden_size: unknown key, given 'hiden_size'. Did you mean 'hidden_size'? "
            "Allowed: hidden_size, dropout",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: upernet\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_upernet import UperNetOptions

    assert all(field.description for field in UperNetOptions.model_fields.values())
    assert (UperNetOptions().hidden_size, UperNetOptions().dropout) == (256, 0.1)
