"""The linear head: gradients, options, and that things stay where they are."""

import decoder_behaviour as decoders
import decoder_geometry as geometry
import pytest
import torch
from torch import nn

from nnunet_vit.testing.maps import SetMaps

pytestmark = pytest.mark.unit

HEAD = "linear"


@pytest.fixture
def placed(head_on):
    """`placed(patch, columns)` is the head in prediction on maps of the test."""

    def build(patch, columns=9):
        torch.manual_seed(0)
        return head_on(SetMaps(patch, 6, columns), dropout=0.0).eval()

    return build


def test_any_size_where_none_is_given(build_head):
    model = build_head().eval()
    for size in ((16, 16), (48, 96)):
        assert model(torch.zeros(1, 3, *size)).shape == (1, 3, *size)


def test_every_parameter_learns(build_head):
    model = build_head(image_size=(32, 48)).train()
    loss = decoders.squares(model(torch.randn(2, 3, 32, 48)))
    assert decoders.unlearned(model, loss) == ([], [])


def test_one_step_lowers_the_loss(build_head):
    model = build_head(image_size=(32, 48)).train()
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


def test_only_the_last_map_is_asked_for(placed):
    model = placed(16)
    model(torch.zeros(1, 3, 96, 144))
    assert model.backbone.layers == [-1]


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("place", [(2, 3), (4, 7), (1, 1)])
def test_a_patch_stays_where_it_is(placed, patch, place):
    assert geometry.centres_of_patch(placed(patch), place) == [pytest.approx(place, abs=0.05)]


@pytest.mark.parametrize("patch", [14, 16])
def test_an_edge_stays_where_it_is(placed, patch):
    line = geometry.line_across(placed(patch, columns=8), 3)
    middle = (line[0] + line[-1]) / 2
    (crossing,) = ((line[:-1] - middle) * (line[1:] - middle) <= 0).nonzero()[:, 0].unique()[:1]
    assert abs(crossing.item() + 1 - 3 * patch) <= 1


def test_dropout_is_the_options(build_head):
    model = build_head(options={"dropout": 0.5})
    assert model.dropout.p == 0.5
    assert decoders.drops_in_training_alone(model)
    assert build_head().dropout.p == 0.0


@pytest.mark.parametrize(
    ("line", "text"),
    [
        decoders.DROPOUT_OF_1,
        ("dropout: -0.1", "dropout: given -0.1; allowed: a number of at least 0 and less than 1"),
        ("dropout: a", "dropout: given 'a'; allowed: a number of at least 0 and less than 1"),
        ("hidden_size: 64", "hidden_size: unknown key, given 'hidden_size'. Allowed: dropout"),
    ],
)
def test_options_out_of_bounds(option_error, line, text):
    assert option_error(line) == f"model.decoder.{text}"
