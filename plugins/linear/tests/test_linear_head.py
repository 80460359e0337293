"""The linear head: shapes, gradients, options, and that things stay where they are."""

import pytest
import torch
from torch import nn

pytestmark = pytest.mark.unit


class OneHot(nn.Module):
    """A backbone whose only map is what the test sets."""

    embed_dim, depth = 4, 6

    def __init__(self, patch_size, rows, columns):
        super().__init__()
        self.patch_size = patch_size
        self.maps = torch.zeros(1, self.embed_dim, rows, columns)

    def feature_maps(self, images, layers):
        self.layers = list(layers)
        return [self.maps for _ in layers]


def placed(patch, rows=6, columns=9):
    from nnunet_vit_linear.decoder import LinearSegmentation

    torch.manual_seed(0)
    backbone = OneHot(patch, rows, columns)
    head = LinearSegmentation(backbone, 2, dropout=0.0).eval()
    return backbone, head, torch.zeros(1, 3, rows * patch, columns * patch)


@pytest.mark.parametrize(
    ("backbone", "size", "batch"),
    [
        ("timm:test_vit", (32, 48), 1),
        ("timm:test_vit", (80, 16), 3),
        ("timm:eva02_tiny_patch14_224", (28, 56), 1),
        ("timm:eva02_tiny_patch14_224", (70, 14), 2),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(linear, backbone, size, batch, channels):
    model = linear(backbone, classes=5, in_channels=channels, image_size=size)
    logits = model(torch.randn(batch, channels, *size))
    assert logits.shape == (batch, 5, *size)
    assert torch.isfinite(logits).all()


def test_any_size_where_none_is_given(linear):
    model = linear().eval()
    for size in ((16, 16), (48, 96)):
        assert model(torch.zeros(1, 3, *size)).shape == (1, 3, *size)


def test_every_parameter_learns(linear):
    model = linear(image_size=(32, 48)).train()
    model(torch.randn(2, 3, 32, 48)).square().mean().backward()
    idle = [n for n, value in model.named_parameters() if value.grad is None]
    zero = [n for n, value in model.named_parameters() if value.grad.count_nonzero() == 0]
    assert (idle, zero) == ([], [])


def test_one_step_lowers_the_loss(linear):
    model = linear(image_size=(32, 48)).train()
    images, truth = torch.randn(2, 3, 32, 48), torch.randint(0, 3, (2, 32, 48))
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    losses = []
    for _ in range(3):
        loss = nn.functional.cross_entropy(model(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[2] < losses[1] < losses[0]


def test_only_the_last_map_is_asked_for():
    backbone, head, images = placed(16)
    head(images)
    assert backbone.layers == [-1]


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("place", [(2, 3), (4, 7), (1, 1)])
def test_a_patch_stays_where_it_is(patch, place):
    backbone, head, images = placed(patch)
    with torch.no_grad():
        empty = head(images)
        backbone.maps[:, :, place[0], place[1]] = torch.tensor([3.0, -1.0, 2.0, 0.5])
        response = (head(images) - empty)[0, 0]
    response = (response - response[0, -1]).abs()  # the normalization moves the rest as one
    rows = torch.arange(response.shape[0]) + 0.5
    columns = torch.arange(response.shape[1]) + 0.5
    centre = (
        (response.sum(dim=1) * rows).sum() / response.sum() / patch - 0.5,
        (response.sum(dim=0) * columns).sum() / response.sum() / patch - 0.5,
    )
    assert [value.item() for value in centre] == pytest.approx(place, abs=0.05)


@pytest.mark.parametrize("patch", [14, 16])
def test_an_edge_stays_where_it_is(patch):
    backbone, head, images = placed(patch, columns=8)
    backbone.maps[..., :3] = torch.tensor([1.0, -1.0, 2.0, 0.0])[:, None, None]
    backbone.maps[..., 3:] = torch.tensor([-1.0, 1.0, -2.0, 0.0])[:, None, None]
    with torch.no_grad():
        line = head(images)[0, 0, 3 * patch]
    middle = (line[0] + line[-1]) / 2
    (crossing,) = ((line[:-1] - middle) * (line[1:] - middle) <= 0).nonzero()[:, 0].unique()[:1]
    assert abs(crossing.item() + 1 - 3 * patch) <= 1


def test_dropout_is_the_options(linear):
    model = linear(options={"dropout": 0.5})
    assert model.dropout.p == 0.5
    images = torch.randn(1, 3, 32, 48)
    assert not torch.equal(model.train()(images), model(images))
    assert torch.equal(model.eval()(images), model(images))
    assert linear().dropout.p == 0.0


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("dropout: 1", "dropout: given 1; allowed: a number of at least 0 and less than 1"),
        ("dropout: -0.1", "dropout: given -0.1; allowed: a number of at least 0 and less than 1"),
        ("dropout: a", "dropout: given 'a'; allowed: a number of at least 0 and less than 1"),
        (
            "hidden_size: 64",
            "hidden_size: unknown key, given 'hidden_size'. Allowed: dropout",
        ),
    ],
)
def test_options_out_of_bounds(tmp_path, monkeypatch, line, text):
    from pathlib import Path

    from nnunet_vit.config.load import load_run
    from nnunet_vit.errors import ConfigError

    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"model:\n  head: linear\n  decoder:\n    {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_run(Path("run.yaml"))
    assert str(caught.value) == f"run.yaml, line 4, model.decoder.{text}"


def test_the_options_are_described():
    from nnunet_vit_linear import LinearOptions

    assert all(field.description for field in LinearOptions.model_fields.values())
