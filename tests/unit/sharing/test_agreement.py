"""When an exported network is taken for the same."""

import pytest
import torch

from nnunet_vit.errors import NumericsError
from nnunet_vit.sharing.onnx.agreement import agreement, check_agreement

pytestmark = pytest.mark.unit
TILES = [torch.linspace(-1, 1, 300).reshape(1, 3, 10, 10), torch.zeros(2, 3, 10, 10)]


def compared(network, exported):
    return agreement(network, exported, TILES)


@pytest.mark.parametrize(("scale", "moved"), [(0.1, 9e-5), (20.0, 1.9e-3)])
def test_rounding(scale, moved):
    found = compared(lambda images: images * scale, lambda images: images * scale + moved)
    assert found.exact and found.holds
    assert found.found.largest == pytest.approx(moved, rel=0.05)
    check_agreement(found)


@pytest.mark.parametrize(("scale", "moved"), [(0.1, 1.2e-4), (20.0, 2.2e-3)])
def test_another_network(scale, moved):
    found = compared(lambda images: images * scale, lambda images: images * scale + moved)
    assert not found.holds
    with pytest.raises(NumericsError, match="differs from PyTorch's by"):
        check_agreement(found)


def steep(images):
    """Jump at 0.1: the last bits of an image decide on which side a value lies."""
    return images + (images > 0.1).float() * (images < 0.11).float()


def test_logits_that_are_steep_in_the_images():
    edge = torch.full((1, 3, 200, 200), 0.2)
    edge[..., 0, 0] = 0.1

    def other(images):
        return steep(images.nextafter(torch.tensor(1.0)))

    found = agreement(steep, other, [edge])
    assert not found.exact and found.holds
    assert found.own.largest == pytest.approx(1, rel=1e-3)


def test_steep_in_one_place_and_wrong_everywhere():
    edge = torch.full((1, 3, 200, 200), 0.2)
    edge[..., 0, 0] = 0.1
    assert not agreement(steep, lambda images: steep(images) + 0.01, [edge]).holds


@pytest.mark.parametrize("wrong", [lambda images: images[:, :2], lambda images: images / 0])
def test_other_shapes_and_numbers_that_are_not_finite(wrong):
    assert not compared(lambda images: images, wrong).holds
